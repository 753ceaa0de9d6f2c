package dev.regen.snapshot.image;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.transfer.ChunkStream;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * Gives images of a store to an engine, without a copy of them on this host's disk: what the engine
 * reads is fetched, unpacked and compared with its digests on the way.
 *
 * <p>The engine takes an image whole or not at all. Interrupted and called again it begins anew
 * with what the engine lacks.
 */
public final class ImagePull {
  private final RemoteStore store;
  private final RemoteImages remote;

  /** Reads an archive to its end, as {@code docker load} does. */
  @FunctionalInterface
  public interface Loader {
    void load(InputStream archive) throws IOException;
  }

  /**
   * What a pull did.
   *
   * @param ids what the engine may call the image now, likeliest first
   * @param layers how many it has
   * @param layersFetched how many of these were fetched
   * @param chunks how many chunks that took
   * @param bytes what these take in the store
   */
  public record Result(List<Digest> ids, int layers, int layersFetched, int chunks, long bytes) {
    public Result {
      ids = List.copyOf(ids);
    }
  }

  public ImagePull(RemoteStore store) {
    this.store = store;
    this.remote = new RemoteImages(store);
  }

  /** What an engine may call an image: one whose store is of another kind gives another id. */
  public List<Digest> ids(StoredImage image) throws IOException {
    return archive(image.content()).ids();
  }

  /**
   * Gives an image to an engine.
   *
   * @param here how many of the lowest layers the engine has, as far as is known; if it turns out
   *     not to take an image without them it gets all
   * @throws RegenException.Damaged if the store has other bytes than it should; the engine has not
   *     taken the image then
   * @throws CancellationException soon after the progress said so
   */
  public Result pull(StoredImage image, int here, Loader engine, TransferProgress progress)
      throws IOException {
    ImageContent content = image.content();
    ImageArchive archive = archive(content);
    Map<Digest, StoredLayer> layers = archive.layers();
    List<Digest> main = content.main().layers();
    Set<Digest> left = new HashSet<>(main.subList(0, here));
    main.subList(here, main.size()).forEach(left::remove); // One may stand there twice.
    Sending sending = new Sending(layers, left, progress);
    try {
      sending.run(archive, engine);
    } catch (EngineRefused e) {
      if (left.isEmpty()) {
        throw e.reason();
      }
      sending = new Sending(layers, Set.of(), progress);
      try {
        sending.run(archive, engine);
      } catch (EngineRefused again) {
        throw again.reason();
      }
    }
    return new Result(
        archive.ids(), layers.size(), sending.fetched(), sending.chunks, sending.bytes);
  }

  private ImageArchive archive(ImageContent content) throws IOException {
    Map<Digest, StoredLayer> layers = new HashMap<>();
    for (Digest digest : content.layers()) {
      layers.put(digest, layer(digest));
    }
    return new ImageArchive(content, layers);
  }

  private StoredLayer layer(Digest digest) throws IOException {
    return remote
        .layer(digest)
        .orElseThrow(() ->
            new RegenException.Damaged(
                "the store's record of layer " + digest + " is missing; push the image again"));
  }

  /** What we sent was in order, and the engine did not take it. */
  private static final class EngineRefused extends Exception {
    private static final long serialVersionUID = 1;
    private final transient IOException reason;

    EngineRefused(IOException reason) {
      super(reason);
      this.reason = reason;
    }

    IOException reason() {
      return reason;
    }
  }

  /** One archive on its way to the engine. */
  private final class Sending {
    private final Map<Digest, StoredLayer> layers;
    private final Set<Digest> left;
    private final TransferProgress progress;
    private final Map<Digest, Set<Digest>> lost = new HashMap<>();
    private @Nullable Exception failure;
    private int chunks;
    private long bytes;

    Sending(Map<Digest, StoredLayer> layers, Set<Digest> left, TransferProgress progress) {
      this.layers = layers;
      this.left = left;
      this.progress = progress;
    }

    int fetched() {
      return layers.size() - left.size();
    }

    void run(ImageArchive archive, Loader engine) throws IOException, EngineRefused {
      List<Chunk> all =
          layers.values().stream()
              .filter(layer -> !left.contains(layer.digest()))
              .flatMap(layer -> layer.chunks().stream())
              .toList();
      // Who asks leases them: nobody deletes them there meanwhile.
      store.missing(new HashSet<>(all.stream().map(Chunk::digest).toList()));
      progress.step("fetching the image's layers");
      progress.expected(all.size(), all.stream().mapToLong(Chunk::storedBytes).sum());
      try (InputStream stream = archive.stream(left, this::open)) {
        engine.load(stream);
      } catch (IOException | RuntimeException e) {
        throw judged(e);
      }
    }

    private InputStream open(StoredLayer layer) {
      ChunkStream.Told told =
          new ChunkStream.Told() {
            @Override
            public void arrived(Chunk chunk) {
              chunks++;
              bytes += chunk.storedBytes();
              progress.done(chunks, bytes);
            }

            @Override
            public void lost(Chunk chunk) {
              lost.computeIfAbsent(layer.digest(), _ -> new HashSet<>()).add(chunk.digest());
            }
          };
      return new Checked(new ChunkStream(store, layer.chunks(), progress, told), layer);
    }

    /** Whose fault it was: ours, the store's, or the engine's. */
    private IOException judged(Exception thrown) throws EngineRefused {
      if (!lost.isEmpty()) {
        tellLost(thrown);
      }
      switch (failure) {
        case CancellationException e -> throw e;
        case RuntimeException e -> throw e;
        case IOException e -> {
          return e;
        }
        case null, default -> {}
      }
      switch (thrown) {
        case CancellationException e -> throw e;
        case RuntimeException e -> throw e;
        case IOException e -> throw new EngineRefused(e);
        default -> throw new IllegalStateException(thrown);
      }
    }

    /** Whoever pushes the image again sends those again. */
    private void tellLost(Exception thrown) {
      for (Map.Entry<Digest, Set<Digest>> one : lost.entrySet()) {
        try {
          remote.tellLost(one.getKey(), one.getValue());
        } catch (IOException e) {
          thrown.addSuppressed(e);
        }
      }
    }

    /** A layer's bytes; the last of them are given only if all were right. */
    private final class Checked extends FilterInputStream {
      private final StoredLayer layer;
      private final MessageDigest sha256 = Digest.sha256();
      private long readBytes;

      Checked(ChunkStream chunks, StoredLayer layer) {
        super(chunks);
        this.layer = layer;
      }

      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
      }

      @Override
      public int read(byte[] into, int offset, int length) throws IOException {
        try {
          int count = super.read(into, offset, length);
          if (count > 0) {
            sha256.update(into, offset, count);
            readBytes += count;
            check();
          }
          return count;
        } catch (IOException | RuntimeException e) {
          failure = e;
          throw e;
        }
      }

      private void check() throws RegenException {
        if (readBytes == layer.sizeBytes() && !Digest.of(sha256).equals(layer.digest())) {
          throw new RegenException.Damaged(
              "the store has other bytes of layer " + layer.digest() + "; nothing was loaded");
        }
      }
    }
  }
}
