package dev.regen.snapshot.layer;

import java.util.List;

/**
 * A stretch of an archive that can be unpacked by itself: its first chunk begins where an entry
 * does, and its last one ends where an entry does.
 *
 * @param number counted from 0 in the archive's order
 * @param firstChunk the number of its first chunk
 * @param untilChunk the number of the first chunk after it
 * @param tarOffset where it begins in the tar stream
 * @param tarBytes its length
 * @param entries what the entry index says of it; empty if all the archive has is its end
 * @param last whether the archive ends with it
 */
record Part(
    int number,
    int firstChunk,
    int untilChunk,
    long tarOffset,
    long tarBytes,
    List<EntryIndex.Entry> entries,
    boolean last) {}
