package dev.regen.snapshot.registry;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import dev.regen.runtime.Futures;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.store.PackedChunkStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Gives a blob's bytes in order, while its next chunks are fetched, several at once. Safe for use
 * by several threads at once.
 *
 * <p>A chunk is compared with its digest when it comes from a store; one that lies in a file of
 * this host the first time that this process serves it, unless this process stored it, and again
 * when that file has changed since.
 */
public final class BlobReader {
  /** Of one reader; what all of them hold {@link SegmentBuffers} limits. */
  private static final int AHEAD = 48;

  private static final int PIECE_BYTES = 256 << 10;
  private static final int PIECES_KEPT = 16;
  private static final int CHECKED_MAX = 50_000;

  private final RemoteStore store;
  private final SegmentBuffers buffers;
  private final ArrayBlockingQueue<ByteBuffer> pieces = new ArrayBlockingQueue<>(PIECES_KEPT);

  /** Chunks that were compared where they lie, and what their file was then. */
  private final RecentlyUsed<FileState> checked = new RecentlyUsed<>(CHECKED_MAX);

  /** What is another if somebody has written to a file. */
  private record FileState(Object changedAt, long sizeBytes) {
    static FileState of(Path file) throws IOException {
      Map<String, Object> now = Files.readAttributes(file, "unix:ctime,size");
      return new FileState(
          Objects.requireNonNull(now.get("ctime")), (Long) Objects.requireNonNull(now.get("size")));
    }
  }

  /** Who wants the bytes. */
  @FunctionalInterface
  public interface Sink {
    /** Takes some, all of them before it returns. */
    void take(ByteBuffer some) throws IOException;
  }

  BlobReader(RemoteStore store, SegmentBuffers buffers) {
    this.store = store;
    this.buffers = buffers;
  }

  /** A part of a chunk: what of its bytes in the blob is wanted. */
  private record Part(Chunk chunk, int from, int to) {}

  /**
   * Reads a part of a blob.
   *
   * @param from at least 0
   * @param length {@code from + length} is at most the blob's size
   * @throws RegenException.Damaged if a chunk is missing or has other bytes; some may have been
   *     given before
   */
  public void read(StoredBlob blob, long from, long length, Sink sink) throws IOException {
    read(blob.form(), parts(blob.form(), blob.chunks(), from, from + length), sink);
  }

  /**
   * Reads all of what some chunks are in some form.
   *
   * @throws RegenException.Damaged as above
   */
  public void read(StoredBlob.Form form, List<Chunk> chunks, Sink sink) throws IOException {
    read(form, parts(form, chunks, 0, Long.MAX_VALUE), sink);
  }

  private void read(StoredBlob.Form form, Deque<Part> parts, Sink sink) throws IOException {
    if (parts.size() == 1) {
      read(form, parts.getFirst(), sink);
      return;
    }
    try (Ahead ahead = new Ahead(form, parts)) {
      for (Part part = ahead.next(); part != null; part = ahead.next()) {
        ahead.give(part, sink);
      }
    }
  }

  private static Deque<Part> parts(StoredBlob.Form form, List<Chunk> chunks, long from, long to) {
    Deque<Part> parts = new ArrayDeque<>();
    long at = 0;
    for (Chunk chunk : chunks) {
      int bytes = form.bytes(chunk);
      long first = Math.max(from, at) - at;
      long end = Math.min(to, at + bytes) - at;
      if (first < end) {
        parts.add(new Part(chunk, (int) first, (int) end));
      }
      at += bytes;
    }
    return parts;
  }

  /** One part alone, without a thread of its own. */
  private void read(StoredBlob.Form form, Part part, Sink sink) throws IOException {
    if (!readFile(form, part, sink)) {
      int room = room(form, part);
      buffers.take(room);
      try {
        deliver(fetch(form, part), sink);
      } finally {
        buffers.give(room);
      }
    }
  }

  /** What a part takes of the buffers: its whole chunk is in memory, unpacked beside it perhaps. */
  private int room(StoredBlob.Form form, Part part) {
    long unpacked = form == StoredBlob.Form.PLAIN ? part.chunk().tarBytes() : 0;
    return buffers.count(part.chunk().storedBytes() + unpacked);
  }

  /**
   * A part's bytes.
   *
   * @param again whether their array is the buffers'
   */
  private record Held(ByteBuffer bytes, boolean again) {}

  /** A part on its way, and what it has of the buffers. */
  private record Fetched(Future<Held> held, int room) {}

  /** What is under way, in the order of the blob. */
  private final class Ahead implements AutoCloseable {
    private final StoredBlob.Form form;
    private final Deque<Part> waiting;
    private final Deque<Part> taken = new ArrayDeque<>();
    private final Deque<Fetched> fetched = new ArrayDeque<>();
    private final ServerTurns turns = new ServerTurns(store);
    private @Nullable ExecutorService threads;

    Ahead(StoredBlob.Form form, Deque<Part> parts) {
      this.form = form;
      this.waiting = parts;
    }

    @Nullable Part next() {
      return taken.isEmpty() ? waiting.poll() : taken.poll();
    }

    void give(Part part, Sink sink) throws IOException {
      if (fetched.isEmpty()) {
        if (readFile(form, part, sink)) {
          return;
        }
        int room = room(form, part);
        buffers.take(room);
        fetch(part, room);
      }
      fetchAhead();
      Fetched first = fetched.remove();
      try {
        deliver(Futures.get(first.held()), sink);
      } finally {
        buffers.give(first.room());
      }
    }

    private void fetchAhead() {
      for (Part further = waiting.peek();
          further != null && fetched.size() < AHEAD;
          further = waiting.peek()) {
        int room = room(form, further);
        if (!buffers.takeIfPlenty(room)) {
          return;
        }
        taken.add(waiting.remove());
        fetch(further, room);
      }
    }

    private void fetch(Part part, int room) {
      ExecutorService known = threads;
      if (known == null) {
        known = Executors.newVirtualThreadPerTaskExecutor();
        threads = known;
      }
      fetched.add(
          new Fetched(
              known.submit(() -> turns.take(part.chunk(), () -> BlobReader.this.fetch(form, part))),
              room));
    }

    @Override
    public void close() {
      if (threads != null) {
        threads.shutdownNow();
        threads.close();
      }
      fetched.forEach(left -> buffers.give(left.room()));
    }
  }

  private void deliver(Held held, Sink sink) throws IOException {
    inPieces(held.bytes(), sink);
    // Not after a failure: whoever was to take them may still.
    if (held.again()) {
      buffers.reuse(held.bytes().array());
    }
  }

  /**
   * In pieces: a socket that takes less than it is offered has all of it copied again each time.
   */
  private static void inPieces(ByteBuffer bytes, Sink sink) throws IOException {
    for (int from = bytes.position(); from < bytes.limit(); from += PIECE_BYTES) {
      sink.take(bytes.slice(from, Math.min(PIECE_BYTES, bytes.limit() - from)));
    }
  }

  private Held fetch(StoredBlob.Form form, Part part) throws IOException {
    Chunk chunk = part.chunk();
    // Before the bytes are read: a change while they are is seen as one.
    Optional<FileState> state = state(chunk.digest());
    boolean again = form == StoredBlob.Form.STORED && fillsSegment(chunk);
    byte[] stored = again ? getAgain(chunk) : get(chunk);
    remember(chunk, state);
    byte[] bytes = form == StoredBlob.Form.STORED ? stored : unpacked(chunk, stored);
    return new Held(ByteBuffer.wrap(bytes, part.from(), part.to() - part.from()), again);
  }

  /** Mostly: what is much smaller is not worth the memory of a segment. */
  private static boolean fillsSegment(Chunk chunk) {
    return chunk.storedBytes() <= SegmentBuffers.SEGMENT_BYTES
        && chunk.storedBytes() > SegmentBuffers.SEGMENT_BYTES / 2;
  }

  /** To be told of a chunk that a store has just taken, and so has compared. */
  void stored(Chunk chunk) throws IOException {
    remember(chunk, state(chunk.digest()));
  }

  private void remember(Chunk chunk, Optional<FileState> state) {
    state.ifPresent(it -> checked.put(chunk.digest().hex(), it, 1));
  }

  private Optional<FileState> state(Digest digest) throws IOException {
    Optional<PackedChunkStore.Place> place = store.place(digest);
    try {
      return place.isEmpty() ? Optional.empty() : Optional.of(FileState.of(place.get().file()));
    } catch (NoSuchFileException e) {
      return Optional.empty(); // It was packed anew just now.
    }
  }

  private byte[] getAgain(Chunk chunk) throws IOException {
    byte[] memory = buffers.memory();
    try {
      store.get(chunk.digest(), chunk.storedBytes(), memory);
      return memory;
    } catch (RegenException.NotFound e) {
      throw lost(e);
    }
  }

  private byte[] get(Chunk chunk) throws IOException {
    buffers.useOther();
    try {
      return store.get(chunk.digest(), chunk.storedBytes());
    } catch (RegenException.NotFound e) {
      throw lost(e);
    }
  }

  private static RegenException.Damaged lost(RegenException.NotFound why) {
    return new RegenException.Damaged("a chunk of the blob is lost: " + why.getMessage());
  }

  private static byte[] unpacked(Chunk chunk, byte[] stored) throws RegenException.Damaged {
    byte[] bytes = new byte[chunk.tarBytes()];
    try {
      long length = Zstd.decompressByteArray(bytes, 0, bytes.length, stored, 0, stored.length);
      if (length == bytes.length) {
        return bytes;
      }
    } catch (ZstdException e) {
      throw new RegenException.Damaged("chunk " + chunk.digest() + ": " + e.getMessage());
    }
    throw new RegenException.Damaged("chunk " + chunk.digest() + " unpacks to another length");
  }

  /** Gives what lies in a file of this host as it is; returns whether it does. */
  private boolean readFile(StoredBlob.Form form, Part part, Sink sink) throws IOException {
    Digest digest = part.chunk().digest();
    FileState known = checked.get(digest.hex());
    if (form != StoredBlob.Form.STORED
        || known == null
        || !state(digest).filter(known::equals).isPresent()) {
      return false;
    }
    Optional<PackedChunkStore.Place> place = store.place(digest);
    if (place.isEmpty() || place.get().length() != part.chunk().storedBytes()) {
      return false;
    }
    try (FileChannel file = FileChannel.open(place.get().file(), StandardOpenOption.READ)) {
      ByteBuffer idle = pieces.poll();
      ByteBuffer piece = idle == null ? ByteBuffer.allocateDirect(PIECE_BYTES) : idle;
      long at = (long) place.get().offset() + part.from();
      for (int left = part.to() - part.from(); left > 0; ) {
        piece.clear().limit(Math.min(left, PIECE_BYTES));
        int count = file.read(piece, at);
        if (count < 0) {
          throw new RegenException.Damaged("chunk " + digest + " ends early in its file");
        }
        sink.take(piece.flip());
        at += count;
        left -= count;
      }
      pieces.offer(piece);
      return true;
    } catch (NoSuchFileException e) {
      return false; // It was packed anew just now.
    }
  }
}
