package dev.regen.snapshot;

import java.util.List;

/**
 * A layer archive: chunks that, one after the other, are an OCI layer of type tar+zstd.
 *
 * @param chunks in order
 * @param entryIndex the chunks of the entry index, in order: what stands where in the archive
 * @param entries members of the tar stream
 * @param tarBytes length of the tar stream
 * @param storedBytes length of all chunks, those of the index included
 * @param newBytes how much of that no snapshot held before
 * @param omitted what could not be kept, in words, at most {@link #OMITTED_MAX}
 * @param omittedCount how many things could not be kept
 */
public record Archive(
    List<Chunk> chunks,
    List<Chunk> entryIndex,
    long entries,
    long tarBytes,
    long storedBytes,
    long newBytes,
    List<String> omitted,
    long omittedCount) {
  public static final int OMITTED_MAX = 100;
  public static final long ENTRIES_MAX = 5_000_000;
  public static final int CHUNKS_MAX = 2_000_000;

  public Archive {
    chunks = List.copyOf(chunks);
    entryIndex = List.copyOf(entryIndex);
    omitted = List.copyOf(omitted);
  }

  /** Whether both hold the same layer, to the byte. */
  public boolean sameLayer(Archive other) {
    return chunks.equals(other.chunks);
  }
}
