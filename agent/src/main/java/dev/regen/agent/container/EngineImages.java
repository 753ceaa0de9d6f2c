package dev.regen.agent.container;

import dev.regen.runtime.docker.Engine;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.image.ImageTag;
import dev.regen.snapshot.image.LocalImage;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/** The images of this host's engine, out of it and into it. */
final class EngineImages {
  /** More are not looked at for layers that they share with one that comes. */
  private static final int LOOKED_AT_MAX = 300;

  private static final long LOOK_MILLIS = 200;

  private final Engine engine;

  EngineImages(Engine engine) {
    this.engine = engine;
  }

  /** Whether the engine has an image that it calls so. */
  boolean has(Digest id) throws IOException {
    return engine.image(id.toString()).isPresent();
  }

  /** The image that a person means by {@code name}, as {@link #image} has it. */
  Optional<LocalImage> named(String name, BooleanSupplier cancelled) throws IOException {
    Optional<JsonObject> found = engine.imageNamed(name);
    return found.isEmpty() ? Optional.empty() : Optional.of(local(found.get(), cancelled));
  }

  /**
   * The image that the engine calls so.
   *
   * @param cancelled ends what {@link LocalImage#save} gives, soon after it says so
   */
  Optional<LocalImage> image(Digest id, BooleanSupplier cancelled) throws IOException {
    Optional<JsonObject> found = engine.image(id.toString());
    return found.isEmpty() ? Optional.empty() : Optional.of(local(found.get(), cancelled));
  }

  /** The id of the image that has this name here. */
  Optional<Digest> idOf(ImageTag tag) throws IOException {
    Optional<JsonObject> found = engine.imageNamed(tag.toString());
    return found.isEmpty() ? Optional.empty() : Optional.of(id(found.get()));
  }

  void tag(Digest id, ImageTag tag) throws IOException {
    engine.tagImage(id.toString(), tag.repository(), tag.tag());
  }

  void load(InputStream archive) throws IOException {
    engine.loadImage(archive);
  }

  /**
   * How many of an image's lowest layers the engine surely has: as many as one of its own images
   * has in common with it. With containerd's store none are counted: it takes an image whose layers
   * are missing, and fails when a container is to run.
   */
  int layersHere(List<Digest> diffIds) throws IOException {
    if (engine.info().string("Driver").equals("overlayfs")) {
      return 0;
    }
    int most = 0;
    for (String image : engine.images().stream().limit(LOOKED_AT_MAX).toList()) {
      Optional<JsonObject> found = engine.image(image);
      List<Digest> its = found.isEmpty() ? List.of() : diffIds(found.get());
      int same = 0;
      while (same < Math.min(its.size(), diffIds.size())
          && its.get(same).equals(diffIds.get(same))) {
        same++;
      }
      most = Math.max(most, same);
    }
    return most;
  }

  private static Digest id(JsonObject image) throws IOException {
    try {
      return Digest.parse(image.string("Id"));
    } catch (IllegalArgumentException e) {
      throw new IOException("the engine names an image without a digest", e);
    }
  }

  private static List<Digest> diffIds(JsonObject image) throws IOException {
    JsonObject rootFs = image.objectOrNull("RootFS");
    try {
      return rootFs == null
          ? List.of()
          : rootFs.strings("Layers").stream().map(Digest::parse).toList();
    } catch (IllegalArgumentException e) {
      throw new IOException("the engine names a layer without a digest", e);
    }
  }

  private LocalImage local(JsonObject image, BooleanSupplier cancelled) throws IOException {
    Digest id = id(image);
    List<Digest> diffIds = diffIds(image);
    long size = image.numberOr("Size", 0);
    if (diffIds.isEmpty()) {
      throw new RegenException.Refused("image " + id + " has no layers; nothing to push");
    }
    return new LocalImage() {
      @Override
      public Digest id() {
        return id;
      }

      @Override
      public List<Digest> diffIds() {
        return diffIds;
      }

      @Override
      public long sizeBytes() {
        return size;
      }

      @Override
      public InputStream save() throws IOException {
        return new Cancellable(opened(id, cancelled), cancelled);
      }
    };
  }

  /** The engine is silent until it has written all of the image to its disk. */
  private InputStream opened(Digest id, BooleanSupplier cancelled) throws IOException {
    FutureTask<InputStream> opening = new FutureTask<>(() -> engine.saveImage(id.toString()));
    // An interrupt closes the connection.
    Thread.ofVirtual().name("image-save").start(opening);
    try {
      while (true) {
        try {
          return opening.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
          if (cancelled.getAsBoolean()) {
            opening.cancel(true);
            throw new CancellationException("cancelled");
          }
        }
      }
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException failed ? failed : new IOException(e);
    } catch (InterruptedException e) {
      opening.cancel(true);
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  /** Ends when it is cancelled, also while the engine is silent. */
  private static final class Cancellable extends FilterInputStream {
    private final Thread watch;

    Cancellable(InputStream stream, BooleanSupplier cancelled) {
      super(stream);
      watch = Thread.ofVirtual().name("image-cancel").start(() -> watch(stream, cancelled));
    }

    private static void watch(InputStream stream, BooleanSupplier cancelled) {
      try {
        while (!cancelled.getAsBoolean()) {
          Thread.sleep(LOOK_MILLIS);
        }
        stream.close();
      } catch (InterruptedException | IOException e) {
        // Nobody reads any more.
      }
    }

    @Override
    public void close() throws IOException {
      watch.interrupt();
      super.close();
    }
  }
}
