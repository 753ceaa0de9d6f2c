package dev.regen.agent.registry;

import dev.regen.agent.tcp.Bodies;
import dev.regen.agent.tcp.Exchange;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.registry.ContentDigest;
import dev.regen.snapshot.registry.ManifestDocument;
import dev.regen.snapshot.registry.Manifests;
import dev.regen.snapshot.registry.Registry;
import dev.regen.snapshot.registry.RegistryException;
import dev.regen.snapshot.registry.RepositoryName;
import dev.regen.snapshot.registry.StoredManifest;
import dev.regen.snapshot.registry.TagName;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/** {@code /v2/NAME/manifests/REFERENCE} and {@code /v2/NAME/referrers/DIGEST}. */
final class ManifestResource {
  private static final int TAGS_MAX = 100;

  /** What is read of all manifests that arrive at the same time, and what is made of it. */
  private static final int BODY_BYTES_MAX = 64 << 20;

  /** As it came, as it is read, and as it is stored. */
  private static final int TIMES_IN_MEMORY = 4;

  private final Registry registry;
  private final Rules rules;
  private final Bodies bodies = new Bodies(BODY_BYTES_MAX);

  ManifestResource(Registry registry, Rules rules) {
    this.registry = registry;
    this.rules = rules;
  }

  void get(Exchange exchange, RepositoryName repository, String reference) throws IOException {
    StoredManifest manifest = find(repository, reference);
    exchange.set("Docker-Content-Digest", manifest.digest().toString());
    exchange.set("ETag", BlobResource.tag(manifest.digest()));
    if (BlobResource.isKnown(exchange, manifest.digest())) {
      return;
    }
    if (exchange.method().equals("HEAD")) {
      exchange.set("Content-Type", manifest.mediaType());
      exchange.set("Content-Length", Integer.toString(manifest.content().length));
      exchange.response().setStatus(200);
      exchange.response().write(true, null, exchange.callback());
    } else {
      exchange.answer(200, manifest.mediaType(), manifest.content());
    }
  }

  void put(Exchange exchange, RepositoryName repository, String reference) throws IOException {
    long said = exchange.request().getLength();
    long room = said < 0 || said > StoredManifest.BYTES_MAX ? StoredManifest.BYTES_MAX : said;
    try (Bodies.Taken _ = bodies.take(TIMES_IN_MEMORY * room)) {
      put(
          exchange,
          repository,
          reference,
          RequestBody.whole(exchange.request(), StoredManifest.BYTES_MAX));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  private void put(Exchange exchange, RepositoryName repository, String reference, byte[] content)
      throws IOException {
    List<TagName> tags;
    ContentDigest digest;
    if (reference.contains(":")) {
      ContentDigest said = UploadResource.digest(reference);
      digest = said.algorithm().of(content);
      if (!digest.equals(said)) {
        throw new RegistryException(
            RegistryException.Code.DIGEST_INVALID,
            "the manifest has the digest " + digest + ", not " + said);
      }
      tags = tags(exchange);
    } else {
      tags = List.of(tag(reference));
      digest = ContentDigest.Algorithm.SHA256.of(content);
    }
    for (TagName tag : tags) {
      rules.requireChangeable(registry, repository, tag, digest);
    }
    ManifestDocument document =
        registry.push(
            repository,
            digest,
            contentType(exchange),
            content,
            tags,
            tag -> rules.isImmutable(repository, tag));
    if (reference.contains(":")) {
      tags.forEach(tag -> exchange.response().getHeaders().add("OCI-Tag", tag.value()));
    }
    if (document.subject() != null) {
      exchange.set("OCI-Subject", document.subject().toString());
    }
    exchange.set("Location", "/v2/" + repository + "/manifests/" + digest);
    exchange.set("Docker-Content-Digest", digest.toString());
    exchange.answer(201);
  }

  /** Removes a tag alone, or a manifest with all tags that mean it. */
  void delete(Exchange exchange, RepositoryName repository, String reference) throws IOException {
    boolean wasThere;
    if (reference.contains(":")) {
      ContentDigest digest = UploadResource.digest(reference);
      rules.requireRemovable(registry, repository, digest);
      wasThere = registry.removeManifest(repository, digest);
    } else {
      TagName tag = tag(reference);
      rules.requireRemovable(repository, tag);
      wasThere = registry.tags().remove(repository, tag);
    }
    if (!wasThere) {
      throw unknown(repository, reference);
    }
    exchange.answer(202);
  }

  void referrers(Exchange exchange, RepositoryName repository, String subject) throws IOException {
    String type = exchange.query("artifactType");
    String last = exchange.query("last");
    Manifests.Referrers page =
        registry
            .manifests()
            .referrers(
                repository,
                UploadResource.digest(subject),
                type.isEmpty() ? null : type,
                last.isEmpty() ? null : UploadResource.digest(last));
    if (page.last() != null) {
      String filter =
          type.isEmpty()
              ? ""
              : "artifactType=" + URLEncoder.encode(type, StandardCharsets.UTF_8) + "&";
      exchange.set(
          "Link",
          "</v2/"
              + repository
              + "/referrers/"
              + subject
              + "?"
              + filter
              + "last="
              + page.last()
              + ">; rel=\"next\"");
    }
    if (!type.isEmpty()) {
      exchange.set("OCI-Filters-Applied", "artifactType");
    }
    exchange.answer(
        200,
        ManifestDocument.OCI_INDEX,
        new JsonObject()
            .with("schemaVersion", 2)
            .with("mediaType", ManifestDocument.OCI_INDEX)
            .with("manifests", page.descriptors())
            .bytes());
  }

  private StoredManifest find(RepositoryName repository, String reference) throws IOException {
    Optional<ContentDigest> digest =
        reference.contains(":")
            ? Optional.of(UploadResource.digest(reference))
            : registry.tags().find(repository, tag(reference));
    if (digest.isPresent()) {
      Optional<StoredManifest> manifest = registry.manifests().find(repository, digest.get());
      if (manifest.isPresent()) {
        return manifest.get();
      }
    }
    registry.requireAll();
    throw unknown(repository, reference);
  }

  private static RegistryException unknown(RepositoryName repository, String reference) {
    return new RegistryException(
        RegistryException.Code.MANIFEST_UNKNOWN,
        "repository " + repository + " has no manifest " + reference,
        new JsonObject().with("reference", reference));
  }

  private static TagName tag(String text) throws RegistryException {
    if (!TagName.isValid(text)) {
      throw invalidTag();
    }
    return new TagName(text);
  }

  static RegistryException invalidTag() {
    return new RegistryException(
        RegistryException.Code.TAG_INVALID,
        "a tag is 1 to 128 letters, digits and '._-', the first no '.' or '-'");
  }

  /** What else a manifest that is pushed by its digest is to be called. */
  private static List<TagName> tags(Exchange exchange) throws IOException {
    List<String> texts = Request.extractQueryParameters(exchange.request()).getValuesOrEmpty("tag");
    if (texts.size() > TAGS_MAX) {
      throw new RegistryException(
          RegistryException.Code.TAG_INVALID, "at most " + TAGS_MAX + " tags at once");
    }
    List<TagName> tags = new ArrayList<>();
    for (String text : texts) {
      tags.add(tag(text));
    }
    return tags;
  }

  private static @Nullable String contentType(Exchange exchange) throws IOException {
    String header = exchange.header("Content-Type");
    if (header == null) {
      return null;
    }
    int parameters = header.indexOf(';');
    String type = (parameters < 0 ? header : header.substring(0, parameters)).strip();
    return type.isEmpty() ? null : type;
  }
}
