package dev.regen.snapshot.store;

import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.Objects;

/** Damages what a store has on the disk. */
public final class StoredBytes {
  private StoredBytes() {}

  /** Changes one bit in the middle of a chunk; returns the file it is in. */
  public static Path flipBit(PackedChunkStore store, Digest digest) throws IOException {
    return flipBit(Objects.requireNonNull(store.place(digest), "no such chunk"));
  }

  /** As above. */
  public static Path flipBit(PackedChunkStore.Place place) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(place.file().toFile(), "rw")) {
      long at = place.offset() + place.length() / 2L;
      file.seek(at);
      int bits = file.read() ^ 1;
      file.seek(at);
      file.write(bits);
    }
    return place.file();
  }
}
