package dev.regen.snapshot.store;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;

/**
 * The record of chunks that are no more, though their packs still list them.
 *
 * <p>It lasts before their room is given back: a chunk without its bytes is never taken for one
 * that is there. Big-endian: {@code RGNGONE1}; the number of packs (4); for each its name (32
 * bytes), a length (4) and so many bytes of a bit set, bit 0 being its first chunk; the SHA-256 of
 * all that.
 */
final class RemovedChunks {
  private static final byte[] MAGIC = "RGNGONE1".getBytes(StandardCharsets.US_ASCII);
  private static final int NAME_BYTES = 32;
  private static final int DIGEST_BYTES = 32;
  private static final long FILE_BYTES_MAX = 256L << 20;

  private final Disk disk;
  private final Path file;

  RemovedChunks(Disk disk, Path file) {
    this.disk = disk;
    this.file = file;
  }

  /** Records the removed chunks of packs, by their names; lasts when this returns. */
  void write(Map<String, BitSet> removed) throws IOException {
    int length = MAGIC.length + Integer.BYTES + DIGEST_BYTES;
    for (BitSet chunks : removed.values()) {
      length += NAME_BYTES + Integer.BYTES + chunks.toByteArray().length;
    }
    ByteBuffer record = ByteBuffer.allocate(length).put(MAGIC).putInt(removed.size());
    removed.forEach((name, chunks) -> {
      byte[] bits = chunks.toByteArray();
      record.put(HexFormat.of().parseHex(name)).putInt(bits.length).put(bits);
    });
    byte[] digest = sum(record.array(), record.position());
    new Records(disk).replace(file, record.put(digest).array());
  }

  /** By the names of their packs; nothing if the record is damaged. */
  Optional<Map<String, BitSet>> read() throws IOException {
    byte[] bytes;
    try {
      bytes = disk.read(file, FILE_BYTES_MAX);
    } catch (NoSuchFileException e) {
      return Optional.of(Map.of());
    }
    int end = bytes.length - DIGEST_BYTES;
    if (end < 0
        || !ByteBuffer.wrap(sum(bytes, end)).equals(ByteBuffer.wrap(bytes, end, DIGEST_BYTES))) {
      return Optional.empty();
    }
    try {
      return Optional.of(parsed(ByteBuffer.wrap(bytes, 0, end)));
    } catch (BufferUnderflowException | IndexOutOfBoundsException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static Map<String, BitSet> parsed(ByteBuffer record) {
    byte[] magic = new byte[MAGIC.length];
    record.get(magic);
    if (!java.util.Arrays.equals(magic, MAGIC)) {
      throw new IllegalArgumentException("another record");
    }
    Map<String, BitSet> removed = new HashMap<>();
    byte[] name = new byte[NAME_BYTES];
    for (int left = record.getInt(); left > 0; left--) {
      record.get(name);
      int length = record.getInt();
      removed.put(
          HexFormat.of().formatHex(name), BitSet.valueOf(record.slice(record.position(), length)));
      record.position(record.position() + length);
    }
    return removed;
  }

  private static byte[] sum(byte[] bytes, int length) {
    var sha256 = Digest.sha256();
    sha256.update(bytes, 0, length);
    return sha256.digest();
  }
}
