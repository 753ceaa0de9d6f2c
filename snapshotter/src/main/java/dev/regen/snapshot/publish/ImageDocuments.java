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
    List<JsonObject> history = new ArrayList<>(what.config().objects("history"));
    history.add(history(what.snapshot(), "what a container had changed, as it was at that time"));
    return config(what, layers, history);
  }

  /** The same, where one layer is all there is: how each layer below was made says no word. */
  static byte[] mergedConfig(Publishable what, List<PublishedLayers.Layer> layers)
      throws IOException {
    Snapshot snapshot = what.snapshot();
    String comment =
        "snapshot %s@%s with its image, in one layer".formatted(snapshot.queue(), snapshot.id());
    return config(what, layers, List.of(history(snapshot, comment)));
  }

  private static byte[] config(
      Publishable what, List<PublishedLayers.Layer> layers, List<JsonObject> history)
      throws IOException {
    JsonObject config = copy(what.config());
    JsonObject rootfs = copy(config.object("rootfs"));
    rootfs.with("diff_ids", layers.stream().map(layer -> layer.diffId().toString()).toList());
    return config
        .with("rootfs", rootfs)
        .with("history", history)
        .with("created", what.snapshot().time())
        .bytes();
  }

  private static JsonObject history(Snapshot snapshot, String comment) {
    return new JsonObject()
        .with("created", snapshot.time())
        .with("created_by", "regen publish " + snapshot.queue() + "@" + snapshot.id())
        .with("comment", comment);
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
