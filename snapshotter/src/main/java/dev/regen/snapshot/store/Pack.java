package dev.regen.snapshot.store;

import dev.regen.runtime.durable.Disk;
import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Chunks that share a file: filled in memory, written as a whole, named once it is forced. What
 * changes it is called by its store alone, one thread at a time; it may be read meanwhile.
 */
final class Pack {
  private final int number;
  private final BitSet removed = new BitSet();
  private int[] ends;
  private int count;

  /** Whose chunks they are, until the file has its name. */
  private @Nullable List<Digest> digests;

  private @Nullable ByteBuffer filling;
  private volatile @Nullable Path file;

  /** Where the file is about to be, or is already. */
  private volatile @Nullable Path next;

  private boolean named;
  private boolean changed;

  /** An empty one, to be filled in {@code buffer}. */
  Pack(int number, ByteBuffer buffer) {
    this.number = number;
    this.ends = new int[64];
    this.digests = new ArrayList<>();
    this.filling = buffer.clear();
  }

  /** One that lies in {@code file}. */
  Pack(int number, Path file, int[] ends) {
    this.number = number;
    this.ends = ends;
    this.count = ends.length;
    this.file = file;
    this.named = true;
  }

  /** Room for chunks of {@code bytes} in all, and their list. */
  static ByteBuffer buffer(int bytes) {
    int room = bytes + PackList.BYTES_MAX + Disk.ALIGNED_BYTES;
    return ByteBuffer.allocateDirect(room + Disk.ALIGNED_BYTES).alignedSlice(Disk.ALIGNED_BYTES);
  }

  int number() {
    return number;
  }

  boolean hasRoom(int bytes) {
    return count < PackList.ENTRIES_MAX && filling().remaining() >= bytes + PackList.BYTES_MAX;
  }

  /** Adds a chunk, read to its end; returns which of this pack it is. */
  int add(Digest digest, ByteBuffer stored) {
    if (count == ends.length) {
      ends = Arrays.copyOf(ends, 2 * count);
    }
    ByteBuffer buffer = filling();
    buffer.put(stored);
    digests().add(digest);
    ends[count] = buffer.position();
    return count++;
  }

  /** Ends the filling: the whole file's bytes, and its name. */
  Sealed seal() {
    ByteBuffer bytes = filling().duplicate();
    String name = new PackList(digests(), ends).writeTo(bytes);
    return new Sealed(name, bytes.flip());
  }

  /** What a pack's file is to be. */
  record Sealed(String name, ByteBuffer bytes) {}

  /** Its bytes are in {@code path} from now on; returns the buffer, free. */
  ByteBuffer writtenTo(Path path) {
    ByteBuffer buffer = filling();
    ends = Arrays.copyOf(ends, count);
    file = path;
    filling = null;
    return buffer;
  }

  /** Its file lasts from now on, under the name that it has. */
  void lasts() {
    named = true;
    digests = null;
  }

  /** It is about to be renamed: from now on it is there or here. */
  void movesTo(Path path) {
    next = path;
  }

  /** It was renamed. */
  void movedTo(Path path) {
    file = path;
  }

  /** Whose chunks they are, in order; until it {@link #lasts}. */
  List<Digest> digests() {
    if (digests == null) {
      throw new IllegalStateException("a pack that lasts keeps no digests");
    }
    return digests;
  }

  boolean isNamed() {
    return named;
  }

  /** Its file, once it is written. */
  Path there() {
    return there(file);
  }

  int offset(int entry) {
    return entry == 0 ? 0 : ends[entry - 1];
  }

  int length(int entry) {
    return ends[entry] - offset(entry);
  }

  /** A chunk's bytes from memory, or null if they are in the file. */
  byte @Nullable [] inMemory(int entry) {
    if (filling == null) {
      return null;
    }
    byte[] bytes = new byte[length(entry)];
    filling.get(offset(entry), bytes);
    return bytes;
  }

  /** A chunk's bytes from the file, which may be renamed meanwhile. */
  byte[] read(Disk disk, int entry) throws IOException {
    Path from = there(file);
    try {
      return disk.read(from, offset(entry), length(entry));
    } catch (NoSuchFileException e) {
      Path now = next;
      if (now == null || now.equals(from)) {
        throw e;
      }
      return disk.read(now, offset(entry), length(entry));
    }
  }

  /** The name of its file. */
  String name() {
    return there(file).getFileName().toString();
  }

  void remove(int entry) {
    removed.set(entry);
    changed = true;
  }

  /** Whether something was removed since its room was given back. */
  boolean isChanged() {
    return changed;
  }

  /** The length of each chunk that was not removed. */
  void lengths(LongConsumer each) {
    for (int entry = removed.nextClearBit(0);
        entry < count;
        entry = removed.nextClearBit(entry + 1)) {
      each.accept(length(entry));
    }
  }

  BitSet removed() {
    return removed;
  }

  boolean isEmpty() {
    return removed.cardinality() == count;
  }

  /** Gives the room of removed chunks back, that of neighbours in one piece. */
  void giveRoomBack(Disk disk) throws IOException {
    for (int from = removed.nextSetBit(0); from >= 0; ) {
      int to = removed.nextClearBit(from);
      disk.punch(there(file), offset(from), (long) ends[to - 1] - offset(from));
      from = removed.nextSetBit(to);
    }
    changed = false;
  }

  private ByteBuffer filling() {
    if (filling == null) {
      throw new IllegalStateException("the pack is in its file");
    }
    return filling;
  }

  private static Path there(@Nullable Path path) {
    if (path == null) {
      throw new IllegalStateException("the pack is not in a file yet");
    }
    return path;
  }
}
