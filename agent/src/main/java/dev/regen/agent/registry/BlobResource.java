package dev.regen.agent.registry;

import dev.regen.agent.tcp.Exchange;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.registry.Blobs;
import dev.regen.snapshot.registry.ContentDigest;
import dev.regen.snapshot.registry.Registry;
import dev.regen.snapshot.registry.RegistryException;
import dev.regen.snapshot.registry.RepositoryName;
import dev.regen.snapshot.registry.StoredBlob;
import java.io.IOException;
import org.eclipse.jetty.http.HttpFields;

/** {@code /v2/NAME/blobs/DIGEST}. */
final class BlobResource {
  private static final String OCTETS = "application/octet-stream";

  /** A blob of this name is never another. */
  private static final String CACHING = "max-age=31536000, immutable";

  private final Registry registry;
  private final Rules rules;

  BlobResource(Registry registry, Rules rules) {
    this.registry = registry;
    this.rules = rules;
  }

  void head(Exchange exchange, RepositoryName repository, ContentDigest digest, boolean mayPush)
      throws IOException {
    // Who may push may rely on it: he will not send the blob, and name it in a manifest soon.
    StoredBlob blob =
        mayPush
            ? registry.blobs().renew(repository, digest).orElse(null)
            : registry.blobs().find(repository, digest).orElse(null);
    if (blob == null) {
      throw Blobs.unknown(repository, digest);
    }
    describe(exchange, digest);
    if (!isKnown(exchange, digest)) {
      exchange.set("Content-Type", OCTETS);
      exchange.set("Content-Length", Long.toString(blob.sizeBytes()));
      exchange.response().setStatus(200);
      exchange.response().write(true, null, exchange.callback());
    }
  }

  void get(Exchange exchange, RepositoryName repository, ContentDigest digest) throws IOException {
    StoredBlob blob = registry.blobs().require(repository, digest);
    describe(exchange, digest);
    if (isKnown(exchange, digest)) {
      return;
    }
    // As long as they like: what means nothing is no mistake here.
    HttpFields headers = exchange.request().getHeaders();
    ByteRange range;
    try {
      String condition = headers.get("If-Range");
      boolean holds = condition == null || condition.equals(tag(digest));
      range = holds ? ByteRange.of(headers.get("Range"), blob.sizeBytes()) : null;
    } catch (ByteRange.Unsatisfiable e) {
      exchange.set("Content-Range", "bytes */" + blob.sizeBytes());
      throw new RegistryException(
          RegistryException.Code.RANGE_INVALID,
          "the blob has " + blob.sizeBytes() + " bytes, asked was " + headers.get("Range"));
    }
    long from = 0;
    long length = blob.sizeBytes();
    if (range != null) {
      from = range.from();
      length = range.length();
      exchange.set(
          "Content-Range", "bytes " + from + "-" + (from + length - 1) + "/" + blob.sizeBytes());
    }
    exchange.begin(range == null ? 200 : 206, OCTETS, length);
    try {
      registry.reader().read(blob, from, length, exchange::write);
    } catch (RegenException.Damaged e) {
      registry.blobs().tellDamaged(digest);
      throw new RegenException.Damaged(
          "blob "
              + digest
              + " of "
              + repository
              + " is damaged; a push of it mends that: "
              + e.getMessage());
    }
    exchange.end();
  }

  void delete(Exchange exchange, RepositoryName repository, ContentDigest digest)
      throws IOException {
    rules.requireRemovable(registry, repository, digest);
    if (!registry.blobs().remove(repository, digest)) {
      registry.blobs().require(repository, digest);
    }
    exchange.answer(202);
  }

  private static void describe(Exchange exchange, ContentDigest digest) {
    exchange.set("Docker-Content-Digest", digest.toString());
    exchange.set("Accept-Ranges", "bytes");
    exchange.set("ETag", tag(digest));
    exchange.set("Cache-Control", CACHING);
  }

  /** Answers whoever has the blob already. */
  static boolean isKnown(Exchange exchange, ContentDigest digest) {
    String known = exchange.request().getHeaders().get("If-None-Match");
    if (known == null || !names(known, tag(digest))) {
      return false;
    }
    exchange.response().setStatus(304);
    exchange.response().write(true, null, exchange.callback());
    return true;
  }

  /** Whether a list of tags, weak ones among them, or {@code *}, has this one. */
  private static boolean names(String known, String tag) {
    for (String one : known.split(",", -1)) {
      String stripped = one.strip();
      if (stripped.equals("*") || stripped.equals(tag) || stripped.equals("W/" + tag)) {
        return true;
      }
    }
    return false;
  }

  static String tag(ContentDigest digest) {
    return '"' + digest.toString() + '"';
  }
}
