package dev.regen.agent.container;

import dev.regen.runtime.docker.EngineException;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.image.ImageTag;
import dev.regen.snapshot.image.LocalImage;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The image that a snapshot lies on, which travels with it: what is missing of it where the
 * snapshot goes. An engine that is away, or has no such image, is told and no failure.
 */
public final class BaseImages {
  private final ImageTransfers images;

  public BaseImages(ImageTransfers images) {
    this.images = images;
  }

  /**
   * What became of it.
   *
   * @param trouble why it is not where the snapshot is, null if it is
   * @param moved null if nothing is known of it
   */
  record Brought(@Nullable String trouble, ImageTransfers.@Nullable Moved moved) {
    static final Brought NONE = new Brought(null, null);

    private static Brought not(String trouble) {
      return new Brought(trouble, null);
    }

    @Nullable JsonObject json() {
      return moved == null ? null : moved.json();
    }

    /** What to tell beside what became of the snapshot; nothing where nothing was to be done. */
    String words() {
      ImageTransfers.Moved done = moved;
      return done == null || done.layers() == 0 || done.message().endsWith("there already")
          ? ""
          : "; its " + done.message();
    }
  }

  /**
   * Makes sure that a store has it.
   *
   * @throws IOException if the store fails, or the engine while it gives the image
   */
  Brought send(RemoteStore store, Snapshot snapshot, TransferProgress progress) throws IOException {
    Digest id = id(snapshot);
    if (id == null) {
      return Brought.NONE;
    }
    Optional<LocalImage> image;
    try {
      image = images.here(id, progress);
    } catch (EngineException e) {
      return Brought.not("its image " + words(snapshot, id) + " was not pushed: " + e.getMessage());
    }
    return image.isPresent()
        ? new Brought(null, images.send(store, image.get(), tag(snapshot), progress))
        : Brought.not(
            "its image " + words(snapshot, id) + " is not here any more, and was not pushed");
  }

  /**
   * Makes sure that this host's engine has it.
   *
   * @throws IOException if the store fails, or the engine does not take the image
   */
  Brought fetch(RemoteStore store, Snapshot snapshot, TransferProgress progress)
      throws IOException {
    Digest id = id(snapshot);
    if (id == null) {
      return Brought.NONE;
    }
    try {
      if (images.isHere(id)) {
        // Perhaps under another name only.
        String otherwise = images.name(id, tag(snapshot));
        return otherwise.isEmpty()
            ? Brought.NONE
            : Brought.not("its image " + words(snapshot, id) + " is here" + otherwise);
      }
    } catch (EngineException e) {
      return Brought.not(
          "whether its image " + words(snapshot, id) + " is here is not known: " + e.getMessage());
    }
    Optional<ImageTransfers.Moved> fetched = images.fetch(store, id, tag(snapshot), progress);
    return fetched.isPresent()
        ? new Brought(null, fetched.get())
        : Brought.not(
            "its image "
                + words(snapshot, id)
                + " is neither here nor in the store: push the queue again where that image is, or"
                + " load it here");
  }

  private static @Nullable Digest id(Snapshot snapshot) {
    try {
      return Digest.parse(snapshot.imageId());
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static @Nullable ImageTag tag(Snapshot snapshot) {
    Digest id = id(snapshot);
    boolean isId = id != null && snapshot.imageName().contains(ImageTransfers.shown(id));
    return isId ? null : ImageTag.parse(snapshot.imageName()).orElse(null);
  }

  private static String words(Snapshot snapshot, Digest id) {
    String name = snapshot.imageName();
    return name.isEmpty() || name.contains(ImageTransfers.shown(id))
        ? ImageTransfers.shown(id)
        : name + " (" + ImageTransfers.shown(id) + ")";
  }
}
