package dev.regen.agent.registry;

import dev.regen.agent.tcp.Exchange;
import dev.regen.snapshot.registry.ContentDigest;
import dev.regen.snapshot.registry.Registry;
import dev.regen.snapshot.registry.RegistryException;
import dev.regen.snapshot.registry.RepositoryName;
import dev.regen.snapshot.registry.StoredBlob;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code /v2/NAME/blobs/uploads/} and {@code /v2/NAME/blobs/uploads/ID}. */
final class UploadResource {
  /** Shorter pieces cost a record each. */
  private static final int PIECE_BYTES_MIN = 1 << 20;

  private static final Pattern RANGE =
      Pattern.compile("(?:bytes[ =])?([0-9]{1,18})-([0-9]{1,18})(?:/.*)?");

  private final Registry registry;
  private final Rules rules;

  UploadResource(Registry registry, Rules rules) {
    this.registry = registry;
    this.rules = rules;
  }

  /** Begins an upload, or makes the blob at once: of the body, or of another repository's. */
  void post(Exchange exchange, RepositoryName repository, Access.Rights rights) throws IOException {
    String mount = exchange.query("mount");
    String from = exchange.query("from");
    if (!mount.isEmpty() && !from.isEmpty() && mount(exchange, repository, mount, from, rights)) {
      return;
    }
    String digest = exchange.query("digest");
    if (!digest.isEmpty() && mount.isEmpty()) {
      ContentDigest expected = digest(digest);
      String id = registry.uploads().begin(repository, expected.algorithm());
      append(exchange, repository, id, Piece.UNSAID);
      finish(exchange, repository, id, expected);
      return;
    }
    String id = registry.uploads().begin(repository, algorithm(exchange));
    exchange.set("OCI-Chunk-Min-Length", Integer.toString(PIECE_BYTES_MIN));
    answer(exchange, 202, repository, id, 0);
  }

  void patch(Exchange exchange, RepositoryName repository, String id) throws IOException {
    long bytes;
    try {
      bytes = append(exchange, repository, id, piece(exchange));
    } catch (RegistryException e) {
      if (e.code() == RegistryException.Code.RANGE_INVALID) {
        describe(exchange, repository, id, registry.uploads().bytes(repository, id));
      }
      throw e;
    }
    answer(exchange, 202, repository, id, bytes);
  }

  void put(Exchange exchange, RepositoryName repository, String id) throws IOException {
    ContentDigest digest = digest(exchange.query("digest"));
    try {
      if (exchange.request().getLength() != 0) {
        append(exchange, repository, id, piece(exchange));
      }
    } catch (RegistryException e) {
      if (e.code() == RegistryException.Code.RANGE_INVALID) {
        describe(exchange, repository, id, registry.uploads().bytes(repository, id));
      }
      throw e;
    }
    finish(exchange, repository, id, digest);
  }

  void get(Exchange exchange, RepositoryName repository, String id) throws IOException {
    long bytes = registry.uploads().bytes(repository, id);
    describe(exchange, repository, id, bytes);
    exchange.response().setStatus(204);
    exchange.response().write(true, null, exchange.callback());
  }

  void delete(Exchange exchange, RepositoryName repository, String id) throws IOException {
    registry.uploads().cancel(repository, id);
    exchange.response().setStatus(204);
    exchange.response().write(true, null, exchange.callback());
  }

  private boolean mount(
      Exchange exchange, RepositoryName repository, String mount, String from, Access.Rights rights)
      throws IOException {
    if (!RepositoryName.isValid(from)) {
      return false;
    }
    RepositoryName source = new RepositoryName(from);
    if (!rights.may(source, Access.Right.PULL)) {
      return false;
    }
    Optional<StoredBlob> blob;
    try {
      ContentDigest digest = ContentDigest.parse(mount);
      blob = registry.blobs().find(source, digest);
    } catch (IllegalArgumentException e) {
      return false;
    }
    if (blob.isEmpty()) {
      return false;
    }
    rules.requireRoom(registry, repository, blob.get().sizeBytes());
    registry.make(repository);
    registry.blobs().add(repository, blob.get());
    created(exchange, repository, blob.get());
    return true;
  }

  private long append(Exchange exchange, RepositoryName repository, String id, Piece said)
      throws IOException {
    long room = rules.room(registry, repository);
    long before = room == Long.MAX_VALUE ? 0 : registry.uploads().bytes(repository, id);
    long length = exchange.request().getLength();
    if (before + Math.max(0, length) > room) {
      rules.requireRoom(registry, repository, before + length);
    }
    try (RequestBody body = new RequestBody(exchange.request(), said.length())) {
      return registry
          .uploads()
          .append(
              repository,
              id,
              said.from(),
              () -> {
                ByteBuffer some = body.next();
                if (before + body.arrivedBytes() > room) {
                  rules.requireRoom(registry, repository, before + body.arrivedBytes());
                }
                return some;
              });
    }
  }

  private void finish(Exchange exchange, RepositoryName repository, String id, ContentDigest digest)
      throws IOException {
    // Others may have come since.
    rules.requireRoom(registry, repository, registry.uploads().bytes(repository, id));
    StoredBlob blob = registry.uploads().finish(repository, id, digest);
    registry.make(repository);
    created(exchange, repository, blob);
  }

  private static void created(Exchange exchange, RepositoryName repository, StoredBlob blob) {
    exchange.set("Location", "/v2/" + repository + "/blobs/" + blob.digest());
    exchange.set("Docker-Content-Digest", blob.digest().toString());
    exchange.answer(201);
  }

  private static void answer(
      Exchange exchange, int status, RepositoryName repository, String id, long bytes) {
    describe(exchange, repository, id, bytes);
    exchange.answer(status);
  }

  /** Of an upload of no bytes the range is 0-0, as everywhere. */
  private static void describe(
      Exchange exchange, RepositoryName repository, String id, long bytes) {
    exchange.set("Location", "/v2/" + repository + "/blobs/uploads/" + id);
    exchange.set("Range", "0-" + Math.max(0, bytes - 1));
    exchange.set("Docker-Upload-UUID", id);
  }

  /** Where the body belongs, and how long it is; both negative if the request does not say. */
  private record Piece(long from, long length) {
    static final Piece UNSAID = new Piece(-1, -1);
  }

  private static Piece piece(Exchange exchange) throws IOException {
    String header = exchange.header("Content-Range");
    if (header == null) {
      return Piece.UNSAID;
    }
    Matcher range = RANGE.matcher(header);
    if (!range.matches()) {
      throw new RegistryException(
          RegistryException.Code.RANGE_INVALID, "Content-Range is FIRST-LAST, not " + header);
    }
    long from = Long.parseLong(range.group(1));
    long length = Long.parseLong(range.group(2)) - from + 1;
    if (length < 1) {
      throw new RegistryException(
          RegistryException.Code.RANGE_INVALID, "Content-Range ends before it begins: " + header);
    }
    long declared = exchange.request().getLength();
    if (declared >= 0 && declared != length) {
      throw new RegistryException(
          RegistryException.Code.SIZE_INVALID,
          "Content-Range is of " + length + " bytes, the body has " + declared);
    }
    return new Piece(from, length);
  }

  private static ContentDigest.Algorithm algorithm(Exchange exchange) throws IOException {
    return exchange.query("digest-algorithm").equals("sha512")
        ? ContentDigest.Algorithm.SHA512
        : ContentDigest.Algorithm.SHA256;
  }

  static ContentDigest digest(String text) throws RegistryException {
    try {
      return ContentDigest.parse(text);
    } catch (IllegalArgumentException e) {
      throw new RegistryException(
          RegistryException.Code.DIGEST_INVALID,
          text.isEmpty() ? "the digest is missing" : String.valueOf(e.getMessage()));
    }
  }
}
