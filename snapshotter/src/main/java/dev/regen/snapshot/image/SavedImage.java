package dev.regen.snapshot.image;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.layer.BadLayerException;
import dev.regen.snapshot.layer.TarFiles;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.transfer.ChunkSending;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads what {@code docker save} gives of one image, keeps its documents, and sends the layers that
 * the store lacks as they come by.
 *
 * <p>Since Docker 25 a file's name tells its digest: what is there is passed over unread. Before,
 * layers have names of their own, which tell nothing: one that is as long as a layer in the store
 * is taken for that and passed over; with {@link #read read(false)} all are sent.
 */
final class SavedImage {
  private static final Pattern BLOB = Pattern.compile("blobs/sha256/([0-9a-f]{64})");
  private static final Pattern CONFIG = Pattern.compile("([0-9a-f]{64})\\.json");
  private static final Pattern LAYER = Pattern.compile("[0-9a-f]{64}/layer\\.tar");
  private static final long ENTRIES_MAX = 20_000;
  private static final long BYTES_MAX = 1L << 42;
  private static final long DOCUMENTS_BYTES_MAX = 32 << 20;

  private final RemoteStore store;
  private final RemoteImages remote;
  private final LocalImage image;
  private final Map<Digest, Set<Digest>> lost;
  private final TransferProgress progress;
  private final Map<Digest, Optional<StoredLayer>> inStore = new HashMap<>();
  private final Map<Digest, byte[]> documents = new HashMap<>();
  private final List<StoredLayer> sent = new ArrayList<>();
  private long documentBytes;
  private long readBytes;
  private long readFiles;
  private int sentChunks;
  private long sentBytes;

  /**
   * @param lost layers of which the store has lost the chunks named, whatever it says
   */
  SavedImage(
      RemoteStore store,
      RemoteImages remote,
      LocalImage image,
      Map<Digest, Set<Digest>> lost,
      TransferProgress progress) {
    this.store = store;
    this.remote = remote;
    this.image = image;
    this.lost = lost;
    this.progress = progress;
  }

  /**
   * Reads all of it.
   *
   * @param guess whether a layer may be passed over that only seems to be in the store
   */
  void read(boolean guess) throws IOException {
    readBytes = 0;
    readFiles = 0;
    documents.clear();
    documentBytes = 0;
    progress.step("waiting for the engine to write the image out");
    try (InputStream stream = image.save();
        TarFiles files = new TarFiles(stream, ENTRIES_MAX, BYTES_MAX)) {
      progress.expected(image.diffIds().size(), image.sizeBytes());
      while (files.next()) {
        file(files, guess);
      }
    } catch (BadLayerException e) {
      throw new IOException("the engine broke off, or gave no image: " + e.getMessage(), e);
    }
  }

  ImageContent content() throws IOException {
    return ImageContent.of(image.id(), documents);
  }

  /** The layers of {@code content}, if all are in the store now. */
  Optional<Map<Digest, StoredLayer>> layers(ImageContent content) throws IOException {
    Map<Digest, StoredLayer> layers = new HashMap<>();
    for (Digest digest : content.layers()) {
      Optional<StoredLayer> layer = known(digest);
      if (layer.isEmpty() || remote.layer(digest).isEmpty()) {
        inStore.put(digest, Optional.empty()); // Removed since it was looked for, perhaps.
        return Optional.empty();
      }
      layers.put(digest, layer.get());
    }
    return Optional.of(layers);
  }

  /** What was not in the store. */
  List<StoredLayer> sentLayers() {
    return List.copyOf(sent);
  }

  int sentChunks() {
    return sentChunks;
  }

  long sentBytes() {
    return sentBytes;
  }

  private void file(TarFiles files, boolean guess) throws IOException {
    Matcher blob = BLOB.matcher(files.name());
    Matcher config = CONFIG.matcher(files.name());
    if (blob.matches()) {
      blob(files, new Digest(blob.group(1)));
    } else if (config.matches()) {
      document(new Digest(config.group(1)), whole(files));
    } else if (LAYER.matcher(files.name()).matches()) {
      namelessLayer(files, guess);
    }
  }

  private void blob(TarFiles files, Digest digest) throws IOException {
    if (files.sizeBytes() > ImageContent.DOCUMENT_BYTES_MAX) {
      progress.step("sending the image's layers");
      if (known(digest).isPresent()) {
        advance(files.sizeBytes());
      } else {
        send(digest, files::content);
      }
      return;
    }
    byte[] bytes = whole(files);
    if (isJson(bytes)) {
      document(digest, bytes);
    } else if (known(digest).isEmpty()) {
      send(digest, once(bytes));
    }
  }

  private void namelessLayer(TarFiles files, boolean guess) throws IOException {
    progress.step("sending the image's layers");
    long size = files.sizeBytes();
    if (size <= ImageContent.DOCUMENT_BYTES_MAX) {
      byte[] bytes = whole(files);
      Digest digest = Digest.of(ByteBuffer.wrap(bytes));
      if (known(digest).isEmpty()) {
        send(digest, once(bytes));
      }
    } else if (guess && isAsLongAsOneInStore(size)) {
      advance(size);
    } else {
      send(null, files::content);
    }
  }

  private boolean isAsLongAsOneInStore(long size) throws IOException {
    for (Digest digest : image.diffIds()) {
      if (known(digest).map(layer -> layer.sizeBytes() == size).orElse(false)) {
        return true;
      }
    }
    return false;
  }

  /**
   * @param expected null if it is to be one of the image's layers
   */
  private void send(@Nullable Digest expected, LayerMaking.Pieces pieces) throws IOException {
    String name = expected == null ? image.id().hex() : expected.hex();
    ChunkSending sending =
        new ChunkSending(store, "image/" + image.id().hex(), name, lostOf(expected), progress);
    LayerMaking.Pieces counted =
        () -> {
          ByteBuffer piece = pieces.next();
          if (piece != null) {
            readBytes += piece.remaining();
            progress.done(readFiles, readBytes);
          }
          return piece;
        };
    try (LayerMaking making = new LayerMaking(counted)) {
      sending.run(making);
      sentChunks += sending.sent();
      sentBytes += sending.sentBytes();
      StoredLayer layer = making.layer();
      boolean isIts =
          expected == null
              ? image.diffIds().contains(layer.digest())
              : expected.equals(layer.digest());
      if (!isIts) {
        throw new IOException("the engine gave a layer that is none of the image's");
      }
      if (known(layer.digest()).isEmpty()) {
        requireAll(layer);
        remote.complete(layer);
        inStore.put(layer.digest(), Optional.of(layer));
        sent.add(layer);
      }
      advance(0);
    }
  }

  /** What was put first may have lost its lease while the rest was sent. */
  private void requireAll(StoredLayer layer) throws IOException {
    Set<Digest> all = new HashSet<>();
    layer.chunks().forEach(chunk -> all.add(chunk.digest()));
    Set<Digest> missing = store.missing(all);
    if (!missing.isEmpty()) {
      throw new IOException(
          "the store lacks " + missing.size() + " chunks that it took; push the image again");
    }
  }

  /** Chunks to be sent whatever the store says; of a layer without a name all that were lost. */
  private Set<Digest> lostOf(@Nullable Digest layer) {
    if (layer != null) {
      return lost.getOrDefault(layer, Set.of());
    }
    Set<Digest> all = new HashSet<>();
    lost.values().forEach(all::addAll);
    return all;
  }

  private Optional<StoredLayer> known(Digest digest) throws IOException {
    Optional<StoredLayer> known = inStore.get(digest);
    if (known == null) {
      known = lost.containsKey(digest) ? Optional.empty() : remote.layer(digest);
      inStore.put(digest, known);
    }
    return known;
  }

  private void advance(long bytes) {
    readFiles++;
    readBytes += bytes;
    progress.done(readFiles, readBytes);
  }

  private void document(Digest digest, byte[] bytes) throws IOException {
    if (!Digest.of(ByteBuffer.wrap(bytes)).equals(digest)) {
      throw new IOException("the engine gave other bytes than " + digest);
    }
    documentBytes += bytes.length;
    if (documentBytes > DOCUMENTS_BYTES_MAX) {
      throw new RegenException.Refused("an image whose documents take so much cannot be pushed");
    }
    documents.put(digest, bytes);
  }

  /** A tar is none: it has zeros in it; nor is what is packed. */
  private static boolean isJson(byte[] bytes) {
    try {
      JsonObject.parse(bytes);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static byte[] whole(TarFiles files) throws IOException {
    if (files.sizeBytes() > ImageContent.DOCUMENT_BYTES_MAX) {
      throw new RegenException.Refused("the image's configuration is too long to be pushed");
    }
    ByteBuffer all = ByteBuffer.allocate((int) files.sizeBytes());
    for (ByteBuffer piece = files.content(); piece != null; piece = files.content()) {
      all.put(piece);
    }
    return all.array();
  }

  private static LayerMaking.Pieces once(byte[] bytes) {
    ByteBuffer[] left = {ByteBuffer.wrap(bytes)};
    return () -> {
      ByteBuffer piece = left[0];
      left[0] = ByteBuffer.allocate(0);
      return piece.hasRemaining() ? piece : null;
    };
  }
}
