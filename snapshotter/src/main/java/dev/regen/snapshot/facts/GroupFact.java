package dev.regen.snapshot.facts;

import java.nio.ByteBuffer;

/**
 * Which group of an archive the files behind a key became.
 *
 * @param indexChunk of the entry index, counted from 0
 * @param indexOffset of the group's records in that chunk, uncompressed; likewise {@code
 *     indexBytes}
 * @param entries how many records that is
 * @param firstChunk of the archive, counted from 0; the group has it and those after it to itself
 * @param chunks how many
 */
public record GroupFact(
    GroupKey key,
    int indexChunk,
    int indexOffset,
    int indexBytes,
    int entries,
    int firstChunk,
    int chunks) {
  static final int BYTES = GroupKey.BYTES + 6 * Integer.BYTES;

  /** The same group, whose files are told by another key. */
  public GroupFact under(GroupKey other) {
    return new GroupFact(other, indexChunk, indexOffset, indexBytes, entries, firstChunk, chunks);
  }

  static GroupFact read(ByteBuffer from) {
    return new GroupFact(
        GroupKey.read(from),
        from.getInt(),
        from.getInt(),
        from.getInt(),
        from.getInt(),
        from.getInt(),
        from.getInt());
  }

  void write(ByteBuffer to) {
    key.write(to);
    to.putInt(indexChunk).putInt(indexOffset).putInt(indexBytes);
    to.putInt(entries).putInt(firstChunk).putInt(chunks);
  }
}
