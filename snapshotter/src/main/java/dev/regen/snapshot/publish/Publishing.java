package dev.regen.snapshot.publish;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.registry.ContentDigest;
import dev.regen.snapshot.registry.Registry;
import dev.regen.snapshot.registry.RegistryException;
import dev.regen.snapshot.registry.RepositoryName;
import dev.regen.snapshot.registry.StoredBlob;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Makes images of a store's snapshots in its registry. An image's layers are the chunks that are
 * there already: they are read once, for the digests of the whole, and sent nowhere. Safe for use
 * by several threads at once.
 *
 * <p>Layers are merged here too, as streams, and not on a host that could mount them: so a snapshot
 * is published as one layer, as it is as many, from hosts that neither have it nor its image, and
 * by a manager that is not root and has no room to unpack it.
 */
public final class Publishing {
  /** Each has some chunks in memory. */
  private static final int AT_ONCE = 2;

  private static final long LOOK_MILLIS = 200;

  private final PublishSource source;
  private final Registry registry;
  private final PublishedLayers layers;
  private final Semaphore turns = new Semaphore(AT_ONCE, true);

  /** One has all names of an image in memory. */
  private final Semaphore merging = new Semaphore(1, true);

  public Publishing(RemoteStore store, Registry registry) {
    this.source = new PublishSource(store);
    this.registry = registry;
    this.layers = new PublishedLayers(registry);
  }

  /**
   * Finds what is to be published; takes a moment only.
   *
   * @throws UnpublishableException if the store has not the snapshot, or not its image, or one of
   *     them is uploading or cannot become an image as it is
   * @throws RegenException.Damaged if nobody can say what one is made of
   */
  public Publishable find(PublishRequest request) throws IOException {
    Publishable found = source.find(request.queue(), request.snapshot());
    for (Publishable.BaseLayer layer :
        request.squash() ? List.<Publishable.BaseLayer>of() : found.base()) {
      request.manifest().layerType(layer.isPlain() ? request.layer() : layer.packing());
    }
    return found;
  }

  /**
   * Publishes what {@link #find} found; the tag means the image when this returns, and means what
   * it did if this throws something.
   *
   * @throws RegistryException DENIED if {@code limits} say so
   * @throws RegenException.Damaged if a chunk is missing or has other bytes
   * @throws CancellationException soon after the progress said so
   */
  public Published publish(
      Publishable what, PublishRequest request, Limits limits, TransferProgress progress)
      throws IOException {
    if (!request.squash()) {
      return publishInTurn(what, request, limits, progress);
    }
    takeTurn(merging, progress);
    try {
      return publishInTurn(what, request, limits, progress);
    } finally {
      merging.release();
    }
  }

  private Published publishInTurn(
      Publishable what, PublishRequest request, Limits limits, TransferProgress progress)
      throws IOException {
    takeTurn(turns, progress);
    try {
      List<PublishedLayers.Layer> made =
          request.squash()
              ? merge(what, request, limits, progress)
              : make(what, request, limits, progress);
      byte[] config =
          request.squash()
              ? ImageDocuments.mergedConfig(what, made)
              : ImageDocuments.config(what, made);
      byte[] manifest = ImageDocuments.manifest(request.manifest(), config, made);
      ContentDigest digest = ContentDigest.Algorithm.SHA256.of(manifest);
      progress.step("writing the manifest");
      limits.requireChangeable(request.repository(), request.tag(), digest);
      add(request.repository(), made, config, limits);
      registry.push(
          request.repository(),
          digest,
          request.manifest().manifestType(),
          manifest,
          List.of(request.tag()),
          tag -> limits.isImmutable(request.repository(), tag));
      long bytes = made.stream().mapToLong(layer -> layer.blob().sizeBytes()).sum();
      return new Published(what.snapshot(), digest, made.size(), bytes);
    } finally {
      turns.release();
    }
  }

  private static void takeTurn(Semaphore turns, TransferProgress progress)
      throws InterruptedIOException {
    try {
      if (turns.tryAcquire()) {
        return;
      }
      progress.step("waiting for others who publish");
      while (!turns.tryAcquire(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        if (progress.cancelled()) {
          throw new CancellationException("cancelled; nothing was published");
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  private List<PublishedLayers.Layer> merge(
      Publishable what, PublishRequest request, Limits limits, TransferProgress progress)
      throws IOException {
    progress.step("merging the layers, which are read twice");
    progress.expected(
        2 * what.chunks().count(), 2 * what.chunks().mapToLong(StoredBlob.Form.PLAIN::bytes).sum());
    return List.of(
        layers.merged(
            request.repository(), what, request.layer(), limits, new PublishProgress(progress)));
  }

  private static void expect(Publishable what, LayerForm form, TransferProgress progress) {
    List<Chunk> chunks = new ArrayList<>(what.snapshot().archive().chunks());
    for (Publishable.BaseLayer layer : what.base()) {
      if (layer.isPlain() && form != LayerForm.TAR) {
        chunks.addAll(layer.chunks());
      }
    }
    progress.expected(chunks.size(), chunks.stream().mapToLong(form.form()::bytes).sum());
  }

  private List<PublishedLayers.Layer> make(
      Publishable what, PublishRequest request, Limits limits, TransferProgress told)
      throws IOException {
    told.step("reading the layers for their digests");
    expect(what, request.layer(), told);
    PublishProgress progress = new PublishProgress(told);
    List<PublishedLayers.Layer> made = new ArrayList<>();
    for (Publishable.BaseLayer layer : what.base()) {
      made.add(layers.base(request.repository(), layer, request.layer(), limits, progress));
    }
    made.add(
        layers.made(
            request.repository(),
            what.snapshot().archive().chunks(),
            request.layer(),
            limits,
            progress));
    return made;
  }

  private void add(
      RepositoryName repository, List<PublishedLayers.Layer> made, byte[] config, Limits limits)
      throws IOException {
    ContentDigest configDigest = ContentDigest.Algorithm.SHA256.of(config);
    boolean hasConfig = registry.blobs().find(repository, configDigest).isPresent();
    long bytes = hasConfig ? 0 : config.length;
    Set<ContentDigest> seen = new HashSet<>();
    for (PublishedLayers.Layer layer : made) {
      StoredBlob blob = layer.blob();
      if (seen.add(blob.digest()) && registry.blobs().find(repository, blob.digest()).isEmpty()) {
        bytes += blob.sizeBytes();
      }
    }
    if (bytes > 0) {
      limits.requireRoom(repository, bytes);
    }
    for (PublishedLayers.Layer layer : made) {
      if (seen.remove(layer.blob().digest())) {
        registry.adopt(repository, layer.blob());
      }
    }
    if (!hasConfig) {
      String upload = registry.uploads().begin(repository, configDigest.algorithm());
      registry.uploads().append(repository, upload, 0, new Whole(config)::next);
      registry.uploads().finish(repository, upload, configDigest);
    }
  }

  /** Some bytes, given at once. */
  private static final class Whole {
    private @Nullable ByteBuffer left;

    Whole(byte[] bytes) {
      left = ByteBuffer.wrap(bytes);
    }

    @Nullable ByteBuffer next() {
      ByteBuffer all = left;
      left = null;
      return all;
    }
  }
}
