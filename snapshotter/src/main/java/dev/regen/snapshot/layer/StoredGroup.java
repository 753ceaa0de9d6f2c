package dev.regen.snapshot.layer;

import dev.regen.snapshot.Chunk;
import java.util.List;

/**
 * A group as an archive before has it, its chunks in the store.
 *
 * @param chunks it alone
 * @param indexChunk the chunk of the entry index that holds its records
 * @param index that chunk, uncompressed
 * @param offset where they begin there
 * @param length of all its records, in bytes
 * @param entries how many records that is
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
record StoredGroup(
    List<Chunk> chunks, Chunk indexChunk, byte[] index, int offset, int length, int entries) {}
