package dev.regen.snapshot.publish;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.image.ImageContent;
import dev.regen.snapshot.image.RemoteImages;
import dev.regen.snapshot.image.StoredImage;
import dev.regen.snapshot.image.StoredLayer;
import dev.regen.snapshot.publish.Publishable.BaseLayer;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.transfer.RemoteQueue;
import dev.regen.snapshot.transfer.StoredSnapshot;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Finds in a store what can be published. */
final class PublishSource {
  private final RemoteStore store;
  private final RemoteImages images;

  PublishSource(RemoteStore store) {
    this.store = store;
    this.images = new RemoteImages(store);
  }

  /**
   * Finds a snapshot and its image.
   *
   * @throws UnpublishableException if one of them is not in this store, is uploading, or cannot
   *     become an image as it is
   * @throws RegenException.Damaged if nobody can say what one is made of
   */
  Publishable find(QueueName queue, String address) throws IOException {
    StoredSnapshot stored = snapshot(queue, address);
    String name = queue + "@" + stored.id().shortened();
    if (stored.encrypted()) {
      throw new UnpublishableException(
          UnpublishableException.Reason.REFUSED,
          "snapshot "
              + name
              + " is encrypted, which no image is: 'regen decrypt "
              + name
              + "', push it again, then publish it");
    }
    Snapshot snapshot = read(name, stored);
    StoredImage image = image(name, snapshot);
    ImageContent content = image.content();
    return new Publishable(snapshot, config(content), base(name, content));
  }

  private StoredSnapshot snapshot(QueueName queue, String address) throws IOException {
    RemoteQueue remote = new RemoteQueue(store, queue);
    RemoteQueue.Listing listing = remote.list();
    try {
      return remote.find(
          listing,
          address,
          "it can be published when all of it is there. If that was interrupted, push it again");
    } catch (RegenException.NotFound e) {
      throw new UnpublishableException(
          UnpublishableException.Reason.NOT_THERE,
          e.getMessage()
              + ": this is the store that the manager serves; push the snapshot to that one"
              + " ('regen publish --store URL')");
    } catch (RegenException.Refused e) {
      throw new UnpublishableException(
          UnpublishableException.Reason.REFUSED, String.valueOf(e.getMessage()));
    }
  }

  private Snapshot read(String name, StoredSnapshot stored) throws IOException {
    try {
      return stored.read(store);
    } catch (RegenException.NotFound e) {
      throw new RegenException.Damaged(
          "the manifest of snapshot " + name + " is lost: " + e.getMessage());
    }
  }

  private StoredImage image(String name, Snapshot snapshot) throws IOException {
    Digest id;
    try {
      id = Digest.parse(snapshot.imageId());
    } catch (IllegalArgumentException e) {
      throw new UnpublishableException(
          UnpublishableException.Reason.REFUSED,
          "snapshot "
              + name
              + " names no image that it lies on (it was imported without one): 'regen import"
              + " --image IMAGE' says which");
    }
    Optional<StoredImage> image = images.image(id);
    if (image.isPresent()) {
      return image.get();
    }
    boolean uploading = images.uploads().stream().anyMatch(upload -> upload.id().equals(id));
    String words = snapshot.imageName() + " (" + id.hex().substring(0, 12) + ")";
    if (uploading) {
      throw new UnpublishableException(
          UnpublishableException.Reason.REFUSED,
          "the image "
              + words
              + " that snapshot "
              + name
              + " lies on is uploading: publish it when all of that is there. If it was"
              + " interrupted, push the snapshot again");
    }
    throw new UnpublishableException(
        UnpublishableException.Reason.NOT_THERE,
        "the store has snapshot "
            + name
            + ", but not the image "
            + words
            + " that it lies on: push it again without --no-image, from a host that has that image");
  }

  private static JsonObject config(ImageContent content) throws IOException {
    byte[] config = content.documents().get(content.main().config());
    if (config == null) {
      throw new RegenException.Damaged("the image's configuration is missing");
    }
    return JsonObject.parse(config);
  }

  private List<BaseLayer> base(String name, ImageContent content) throws IOException {
    ImageContent.Main main = content.main();
    Map<Digest, LayerForm> packed = packings(content);
    List<BaseLayer> base = new ArrayList<>();
    for (int i = 0; i < main.layers().size(); i++) {
      Digest digest = main.layers().get(i);
      Digest diffId = main.diffIds().get(i);
      StoredLayer layer =
          images
              .layer(digest)
              .orElseThrow(() ->
                  new RegenException.Damaged(
                      "the store has lost a layer ("
                          + digest
                          + ") of the image that snapshot "
                          + name
                          + " lies on: push that snapshot again"));
      LayerForm packing = digest.equals(diffId) ? LayerForm.TAR : packed.get(digest);
      if (packing == null) {
        throw new UnpublishableException(
            UnpublishableException.Reason.REFUSED,
            "layer " + digest + " of the image below is of a kind that nobody here can name");
      }
      base.add(new BaseLayer(digest, diffId, packing, layer.chunks()));
    }
    return base;
  }

  /** What the image's own manifest says of how its layers are packed. */
  private static Map<Digest, LayerForm> packings(ImageContent content) throws IOException {
    Map<Digest, LayerForm> packings = new HashMap<>();
    Digest manifest = content.main().manifest();
    byte[] document = manifest == null ? null : content.documents().get(manifest);
    if (document != null) {
      for (JsonObject layer : JsonObject.parse(document).objects("layers")) {
        String type = layer.stringOrNull("mediaType");
        String end = type == null ? "" : type.substring(type.lastIndexOf('.') + 1);
        Digest digest = Digest.parse(layer.string("digest"));
        switch (end) {
          case "gzip", "tar+gzip", "tar_gzip" -> packings.put(digest, LayerForm.GZIP);
          case "zstd", "tar+zstd" -> packings.put(digest, LayerForm.ZSTD);
          default -> {
            // Whoever needs it says that he does not know it.
          }
        }
      }
    }
    return packings;
  }
}
