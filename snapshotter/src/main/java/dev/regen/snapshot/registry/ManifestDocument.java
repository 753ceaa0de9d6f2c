package dev.regen.snapshot.registry;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a manifest or index says of itself and of what it needs. Types that nobody knows are
 * welcome; their members mean what they mean in the known ones.
 *
 * <p>Source: OCI image-spec v1.1, "Image Manifest" and "Image Index"; Docker's "Image Manifest
 * Version 2, Schema 2".
 *
 * @param blobs configuration and layers that must be in the repository
 * @param manifests those that an index names
 * @param artifactType what it is listed as among referrers; null for nothing
 * @param annotations null if it has none
 */
public record ManifestDocument(
    String mediaType,
    List<Descriptor> blobs,
    List<Descriptor> manifests,
    @Nullable ContentDigest subject,
    @Nullable String artifactType,
    @Nullable JsonObject annotations) {
  public static final String OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  public static final String OCI_INDEX = "application/vnd.oci.image.index.v1+json";
  public static final String DOCKER_MANIFEST =
      "application/vnd.docker.distribution.manifest.v2+json";

  /** Of what it names; a value of JSON takes some hundred bytes of memory. */
  private static final int DESCRIPTORS_MAX = 10_000;

  private static final int VALUES_MAX = 200_000;
  private static final int TYPE_CHARACTERS_MAX = 255;

  /** Signed manifests of Docker before 1.10, which name layers in another way. */
  private static final String SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+";

  private static final Set<String> NOT_DISTRIBUTED =
      Set.of("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");

  /**
   * What a manifest says of something that it needs.
   *
   * @param sizeBytes at least 0
   */
  public record Descriptor(String mediaType, ContentDigest digest, long sizeBytes) {}

  public ManifestDocument {
    blobs = List.copyOf(blobs);
    manifests = List.copyOf(manifests);
  }

  /**
   * Reads one.
   *
   * @param contentType as the client gave it, without parameters; null if he gave none
   * @throws RegistryException MANIFEST_INVALID if it is none
   */
  public static ManifestDocument parse(@Nullable String contentType, byte[] content)
      throws RegistryException {
    try {
      JsonObject json = JsonObject.parse(content, VALUES_MAX);
      String mediaType = mediaType(contentType, json);
      if (mediaType.startsWith(SCHEMA_1) || json.numberOr("schemaVersion", 2) == 1) {
        throw invalid("manifests of schema 1 are not taken; push with Docker 1.10 or newer");
      }
      List<Descriptor> blobs = new ArrayList<>();
      JsonObject config = json.objectOrNull("config");
      if (config != null) {
        blobs.add(descriptor(config));
      }
      addDistributed(json.objects("layers"), blobs);
      addDistributed(json.objects("blobs"), blobs);
      List<Descriptor> manifests = new ArrayList<>();
      for (JsonObject manifest : json.objects("manifests")) {
        manifests.add(descriptor(manifest));
      }
      if (blobs.size() + manifests.size() > DESCRIPTORS_MAX) {
        throw invalid("it names more than " + DESCRIPTORS_MAX + " blobs and manifests");
      }
      JsonObject subject = json.objectOrNull("subject");
      String artifactType = json.stringOrNull("artifactType");
      if ((artifactType == null || artifactType.isEmpty()) && config != null) {
        artifactType = config.stringOrNull("mediaType");
      }
      return new ManifestDocument(
          mediaType,
          blobs,
          manifests,
          subject == null ? null : descriptor(subject).digest(),
          artifactType,
          json.objectOrNull("annotations"));
    } catch (RegistryException e) {
      throw e;
    } catch (IOException | IllegalArgumentException e) {
      throw invalid(String.valueOf(e.getMessage()));
    }
  }

  private static String mediaType(@Nullable String contentType, JsonObject json)
      throws IOException {
    String own = json.stringOrNull("mediaType");
    if (own != null && contentType != null && !own.equalsIgnoreCase(contentType)) {
      throw invalid("it is sent as " + contentType + " and says that it is " + own);
    }
    String found = own != null ? own : contentType;
    if (found == null) {
      found = json.has("manifests") ? OCI_INDEX : OCI_MANIFEST;
    }
    if (found.isEmpty()
        || found.length() > TYPE_CHARACTERS_MAX
        || !found.chars().allMatch(c -> c >= ' ' && c < 0x7f)) {
      throw invalid("its media type is none");
    }
    return found;
  }

  private static void addDistributed(List<JsonObject> layers, List<Descriptor> into)
      throws IOException {
    for (JsonObject layer : layers) {
      Descriptor descriptor = descriptor(layer);
      boolean elsewhere =
          NOT_DISTRIBUTED.contains(descriptor.mediaType())
              || descriptor.mediaType().contains(".nondistributable.");
      if (!elsewhere) {
        into.add(descriptor);
      }
    }
  }

  private static Descriptor descriptor(JsonObject json) throws IOException {
    String mediaType = json.stringOrNull("mediaType");
    long size = json.number("size");
    if (size < 0) {
      throw invalid("a size below 0");
    }
    return new Descriptor(
        mediaType == null ? "" : mediaType, ContentDigest.parse(json.string("digest")), size);
  }

  private static RegistryException invalid(String why) {
    return new RegistryException(
        RegistryException.Code.MANIFEST_INVALID, "the manifest is not in order: " + why);
  }
}
