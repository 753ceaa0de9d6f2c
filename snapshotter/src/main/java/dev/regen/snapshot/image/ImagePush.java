package dev.regen.snapshot.image;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * Sends an image of this host to a store: of the layers that the store has not, the chunks that it
 * has not, then the record that says that all of it is there.
 *
 * <p>Interrupted anywhere and called again, it sends what is still missing; the engine is asked for
 * the whole image each time, unless all of it is there.
 */
public final class ImagePush {
  /** Layers may be passed over on a guess; then once more without one. */
  private static final int ROUNDS = 2;

  private final RemoteStore store;
  private final RemoteImages remote;

  public ImagePush(RemoteStore store) {
    this.store = store;
    this.remote = new RemoteImages(store);
  }

  /**
   * What a push did.
   *
   * @param there whether all of the image was in the store before
   * @param layers how many it has
   * @param layersSent how many of these the store did not have
   * @param chunks how many were sent
   * @param bytes what these took
   */
  public record Result(boolean there, int layers, int layersSent, int chunks, long bytes) {}

  /**
   * Sends an image; all of it is in the store, and can be had by its id and by {@code tag}, once
   * this has returned.
   *
   * @param tag what it is called there from now on, whatever was before; null for nothing
   * @throws RegenException.Refused if the store has no room or wants another token
   * @throws CancellationException soon after the progress said so
   * @throws IOException if the engine or the store does not answer, or the engine gives something
   *     else than that image; as in all other cases what was sent stays, and is not sent again
   */
  public Result push(LocalImage image, @Nullable ImageTag tag, TransferProgress progress)
      throws IOException {
    progress.step("asking which layers of the image are there");
    Map<Digest, Set<Digest>> lost = remote.lost();
    Optional<StoredImage> there = remote.image(image.id());
    boolean whole =
        there.isPresent()
            && there.get().content().layers().stream().noneMatch(lost.keySet()::contains);
    Result result =
        whole
            ? new Result(true, there.get().content().layers().size(), 0, 0, 0)
            : send(image, tag, lost, progress);
    if (tag != null) {
      remote.tag(tag, image.id());
    }
    return result;
  }

  private Result send(
      LocalImage image,
      @Nullable ImageTag tag,
      Map<Digest, Set<Digest>> lost,
      TransferProgress progress)
      throws IOException {
    String name = tag == null ? "" : tag.toString();
    RemoteImages.Upload upload = new RemoteImages.Upload(image.id(), name, image.diffIds());
    remote.begin(upload);
    SavedImage saved =
        new SavedImage(store, remote, image, lost, new RenewedUpload(remote, upload, progress));
    for (int round = 0; round < ROUNDS; round++) {
      try {
        saved.read(round == 0);
      } catch (IOException e) {
        if (progress.cancelled()) {
          throw new CancellationException("cancelled");
        }
        throw e;
      }
      ImageContent content = saved.content();
      Optional<Map<Digest, StoredLayer>> layers = saved.layers(content);
      if (layers.isPresent()) {
        remote.complete(new StoredImage(content, size(content, layers.get())));
        for (Digest layer : content.layers()) {
          if (lost.containsKey(layer)) {
            remote.found(layer);
          }
        }
        return new Result(
            false,
            layers.get().size(),
            saved.sentLayers().size(),
            saved.sentChunks(),
            saved.sentBytes());
      }
    }
    throw new IOException("the engine did not give all layers of the image; push it again");
  }

  private static long size(ImageContent content, Map<Digest, StoredLayer> layers) {
    long size = 0;
    for (Digest layer : content.main().layers()) {
      StoredLayer stored = layers.get(layer);
      size += stored == null ? 0 : stored.sizeBytes();
    }
    return size;
  }
}
