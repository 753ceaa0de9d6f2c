package dev.regen.snapshot.publish;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.layer.BadLayerException;
import dev.regen.snapshot.layer.LayerMerge;
import dev.regen.snapshot.registry.ContentDigest;
import dev.regen.snapshot.registry.Registry;
import dev.regen.snapshot.registry.RepositoryName;
import dev.regen.snapshot.registry.StoredBlob;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Makes blobs of layers that a store has in chunks, by reading each once. Safe for use by several
 * threads at once.
 */
final class PublishedLayers {
  private static final ContentDigest.Algorithm SHA256 = ContentDigest.Algorithm.SHA256;

  private final Registry registry;
  private final KnownLayers known = new KnownLayers();

  PublishedLayers(Registry registry) {
    this.registry = registry;
  }

  /**
   * A layer of an image.
   *
   * @param blob the layer as it is served
   * @param diffId the digest of its plain tar
   * @param packing of the blob
   */
  record Layer(StoredBlob blob, ContentDigest diffId, LayerForm packing) {}

  /** A layer of the image below, its digest known. */
  Layer base(
      RepositoryName repository,
      Publishable.BaseLayer layer,
      LayerForm form,
      Limits limits,
      PublishProgress progress)
      throws IOException {
    ContentDigest digest = digest(layer.digest());
    if (!layer.isPlain()) {
      StoredBlob blob = plainBlob(digest, layer.chunks());
      return new Layer(blob, digest(layer.diffId()), layer.packing());
    }
    if (form == LayerForm.TAR) {
      return new Layer(plainBlob(digest, layer.chunks()), digest, form);
    }
    Layer made = made(repository, layer.chunks(), form, limits, progress);
    if (!made.diffId().equals(digest)) {
      throw new RegenException.Damaged(
          "what the store has of layer "
              + digest
              + " is another's ("
              + made.diffId()
              + "): push the snapshot again, or its image");
    }
    return made;
  }

  /** A layer of which nothing is known but its chunks. */
  Layer made(
      RepositoryName repository,
      List<Chunk> chunks,
      LayerForm form,
      Limits limits,
      PublishProgress progress)
      throws IOException {
    Optional<KnownLayers.Known> before = known.find(form, chunks);
    if (before.isPresent()) {
      Layer again = again(before.get(), chunks, form);
      if (again != null) {
        return again;
      }
    }
    progress.begin(form.form(), chunks);
    Layer layer =
        switch (form) {
          case ZSTD -> stored(chunks, progress);
          case TAR -> plain(chunks, progress);
          case GZIP -> gzipped(repository, chunks, limits, progress);
        };
    known.remember(form, chunks, repository, layer);
    return layer;
  }

  /**
   * The image and the snapshot as one layer, stored packed as it is served.
   *
   * @throws UnpublishableException naming an entry that cannot be merged
   */
  Layer merged(
      RepositoryName repository,
      Publishable what,
      LayerForm form,
      Limits limits,
      PublishProgress progress)
      throws IOException {
    LayerMerge merge;
    try {
      merge = LayerMerge.of(sources(what, progress));
    } catch (BadLayerException e) {
      throw new UnpublishableException(
          UnpublishableException.Reason.REFUSED,
          e.getMessage() + "; publish it without --squash, or change that and capture it again");
    }
    return packed(repository, form, sink -> merge.write(sink::take), limits);
  }

  private List<LayerMerge.Layer> sources(Publishable what, PublishProgress progress) {
    List<LayerMerge.Layer> sources = new ArrayList<>();
    for (Publishable.BaseLayer layer : what.base()) {
      sources.add(
          new LayerMerge.Layer(
              "layer " + layer.diffId() + " of the image",
              layer.diffId(),
              () -> new BlobInput(registry.reader(), layer.chunks(), progress)));
    }
    List<Chunk> chunks = what.snapshot().archive().chunks();
    sources.add(
        new LayerMerge.Layer(
            "the snapshot", null, () -> new BlobInput(registry.reader(), chunks, progress)));
    return sources;
  }

  /** As it was made before; null if what was made then is gone. */
  private @Nullable Layer again(KnownLayers.Known before, List<Chunk> chunks, LayerForm form)
      throws IOException {
    return switch (form) {
      case ZSTD -> new Layer(storedBlob(before.blob(), chunks), before.diffId(), form);
      case TAR -> new Layer(plainBlob(before.blob(), chunks), before.diffId(), form);
      case GZIP ->
          registry
              .blobs()
              .find(before.repository(), before.blob())
              .map(blob -> new Layer(blob, before.diffId(), form))
              .orElse(null);
    };
  }

  private Layer stored(List<Chunk> chunks, PublishProgress progress) throws IOException {
    try (StoredLayerDigests digests = new StoredLayerDigests(chunks, progress)) {
      registry.reader().read(StoredBlob.Form.STORED, chunks, digests);
      StoredLayerDigests.Both both = digests.digests();
      return new Layer(storedBlob(both.stored(), chunks), both.plain(), LayerForm.ZSTD);
    }
  }

  private Layer plain(List<Chunk> chunks, PublishProgress progress) throws IOException {
    MessageDigest hasher = SHA256.hasher();
    registry
        .reader()
        .read(
            StoredBlob.Form.PLAIN,
            chunks,
            some -> {
              progress.read(some.remaining());
              hasher.update(some);
            });
    ContentDigest digest = SHA256.of(hasher);
    return new Layer(plainBlob(digest, chunks), digest, LayerForm.TAR);
  }

  private Layer gzipped(
      RepositoryName repository, List<Chunk> chunks, Limits limits, PublishProgress progress)
      throws IOException {
    return packed(
        repository,
        LayerForm.GZIP,
        sink ->
            registry
                .reader()
                .read(
                    StoredBlob.Form.PLAIN,
                    chunks,
                    some -> {
                      progress.read(some.remaining());
                      sink.take(some);
                    }),
        limits);
  }

  private Layer packed(
      RepositoryName repository, LayerForm form, PackedLayer.Plain plain, Limits limits)
      throws IOException {
    registry.make(repository);
    String upload = registry.uploads().begin(repository, SHA256);
    try (PackedLayer layer = new PackedLayer(form, plain)) {
      registry.uploads().append(repository, upload, 0, layer);
      ContentDigest digest = layer.packedDigest();
      if (registry.blobs().find(repository, digest).isEmpty()) {
        limits.requireRoom(repository, layer.packedBytes());
      }
      StoredBlob blob = registry.uploads().finish(repository, upload, digest);
      return new Layer(blob, layer.plainDigest(), form);
    } catch (IOException | RuntimeException e) {
      cancel(repository, upload, e);
      throw e;
    }
  }

  private void cancel(RepositoryName repository, String upload, Exception why) {
    try {
      registry.uploads().cancel(repository, upload);
    } catch (IOException e) {
      why.addSuppressed(e); // It goes a day later.
    }
  }

  private static ContentDigest digest(Digest digest) {
    return new ContentDigest(SHA256, digest.hex());
  }

  private static StoredBlob storedBlob(ContentDigest digest, List<Chunk> chunks) {
    return blob(digest, StoredBlob.Form.STORED, chunks);
  }

  private static StoredBlob plainBlob(ContentDigest digest, List<Chunk> chunks) {
    return blob(digest, StoredBlob.Form.PLAIN, chunks);
  }

  private static StoredBlob blob(ContentDigest digest, StoredBlob.Form form, List<Chunk> chunks) {
    return new StoredBlob(digest, chunks.stream().mapToLong(form::bytes).sum(), form, chunks);
  }
}
