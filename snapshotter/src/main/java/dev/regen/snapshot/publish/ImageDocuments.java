package dev.regen.snapshot.publish;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.registry.ContentDigest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * An image's configuration and manifest; of equal layers they are equal bytes.
 *
 * <p>Source: OCI image-spec v1.1, "Image Configuration" and "Image Manifest".
 */
final class ImageDocuments {
  private ImageDocuments() {}

  /** The configuration of the image below, its members as they were, with one layer more. */
  static byte[] config(Publishable what, List<PublishedLayers.Layer> layers) throws IOException {
    Snapshot snapshot = what.snapshot();
    JsonObject config = copy(what.config());
    JsonObject below = config.object("rootfs");
    JsonObject rootfs = copy(below);
    rootfs.with("diff_ids", layers.stream().map(layer -> layer.diffId().toString()).toList());
    List<JsonObject> history = new ArrayList<>(config.objects("history"));
    history.add(
        new JsonObject()
            .with("created", snapshot.time())
            .with("created_by", "regen publish " + snapshot.queue() + "@" + snapshot.id())
            .with("comment", "what a container had changed, as it was at that time"));
    return config
        .with("rootfs", rootfs)
        .with("history", history)
        .with("created", snapshot.time())
        .bytes();
  }

  /**
   * The manifest.
   *
   * @throws UnpublishableException if it has no name for a layer of this kind
   */
  static byte[] manifest(ManifestForm form, byte[] config, List<PublishedLayers.Layer> layers)
      throws IOException {
    List<JsonObject> descriptors = new ArrayList<>();
    for (PublishedLayers.Layer layer : layers) {
      descriptors.add(
          descriptor(
              form.layerType(layer.packing()), layer.blob().digest(), layer.blob().sizeBytes()));
    }
    return new JsonObject()
        .with("schemaVersion", 2)
        .with("mediaType", form.manifestType())
        .with(
            "config",
            descriptor(form.configType(), ContentDigest.Algorithm.SHA256.of(config), config.length))
        .with("layers", descriptors)
        .bytes();
  }

  private static JsonObject descriptor(String type, ContentDigest digest, long sizeBytes) {
    return new JsonObject()
        .with("mediaType", type)
        .with("digest", digest.toString())
        .with("size", sizeBytes);
  }

  private static JsonObject copy(JsonObject of) {
    JsonObject copy = new JsonObject();
    of.members().forEach(copy::with);
    return copy;
  }
}
