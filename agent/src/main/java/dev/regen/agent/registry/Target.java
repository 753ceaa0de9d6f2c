package dev.regen.agent.registry;

import dev.regen.agent.tcp.StatusException;
import dev.regen.snapshot.registry.RegistryException;
import dev.regen.snapshot.registry.RepositoryName;
import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a path of the distribution API means.
 *
 * <p>Source: OCI distribution-spec v1.1, "Endpoints".
 */
sealed interface Target {
  Pattern FORM =
      Pattern.compile(
          "/v2/(?<name>.{1,400}?)/(?:(?<tags>tags/list)|manifests/(?<manifest>[^/]{1,200})"
              + "|blobs/uploads/(?<upload>[^/]{0,200})|blobs/uploads"
              + "|blobs/(?<blob>[^/]{1,200})|referrers/(?<referrers>[^/]{1,200})"
              + "|(?<publish>_regen/publish))");

  /** {@code /v2/}: whether this is a registry, and who asks may use it. */
  record Base() implements Target {}

  record Catalog() implements Target {}

  /** What belongs to a repository. */
  sealed interface InRepository extends Target {
    RepositoryName repository();
  }

  record TagList(RepositoryName repository) implements InRepository {}

  record Manifest(RepositoryName repository, String reference) implements InRepository {}

  record Uploads(RepositoryName repository) implements InRepository {}

  record Upload(RepositoryName repository, String id) implements InRepository {}

  record Blob(RepositoryName repository, String digest) implements InRepository {}

  record Referrers(RepositoryName repository, String digest) implements InRepository {}

  /** Regen's own; the spec keeps {@code _} for such. */
  record Publish(RepositoryName repository) implements InRepository {}

  /**
   * Reads a path.
   *
   * @throws RegistryException NAME_INVALID if its repository has no repository's name
   * @throws StatusException 404 if the path is none of the API's
   */
  static Target of(String path) throws IOException {
    if (path.equals("/v2/") || path.equals("/v2")) {
      return new Base();
    }
    if (path.equals("/v2/_catalog")) {
      return new Catalog();
    }
    Matcher form = FORM.matcher(path);
    if (!form.matches()) {
      throw new StatusException(404, "there is no such endpoint");
    }
    String name = form.group("name");
    if (!RepositoryName.isValid(name)) {
      throw new RegistryException(
          RegistryException.Code.NAME_INVALID,
          "a repository's name is up to 255 lower-case letters, digits and single '.', '_', '-'"
              + " between them, in parts with '/' between");
    }
    RepositoryName repository = new RepositoryName(name);
    if (form.group("tags") != null) {
      return new TagList(repository);
    }
    if (form.group("manifest") != null) {
      return new Manifest(repository, form.group("manifest"));
    }
    if (form.group("blob") != null) {
      return new Blob(repository, form.group("blob"));
    }
    if (form.group("referrers") != null) {
      return new Referrers(repository, form.group("referrers"));
    }
    if (form.group("publish") != null) {
      return new Publish(repository);
    }
    String upload = form.group("upload");
    return upload == null || upload.isEmpty()
        ? new Uploads(repository)
        : new Upload(repository, upload);
  }
}
