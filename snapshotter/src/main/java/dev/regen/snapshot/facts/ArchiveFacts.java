package dev.regen.snapshot.facts;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * The facts of the trees that one archive was made of, or that were made of it.
 *
 * <p>On disk: {@code RGFA} and a version · the boot · the archive · the number of sets · each set's
 * length and facts · the SHA-256 of all that.
 *
 * @param boot of the host when they were noted. After a crash a file may have its newest times and
 *     older bytes, so facts of another boot say nothing
 * @param archive as {@link #digest} gives it
 * @param sets one for each tree, newest first, at most {@link #SETS_MAX}
 */
record ArchiveFacts(String boot, Digest archive, List<List<GroupFact>> sets) {
  static final int SETS_MAX = 3;
  static final int BYTES_MAX = 128 << 20;

  private static final byte[] MAGIC = {'R', 'G', 'F', 'A', 1};
  private static final int SHA_256_BYTES = 32;
  private static final int BOOT_BYTES_MAX = 127;
  private static final HexFormat HEX = HexFormat.of();

  ArchiveFacts {
    sets = sets.stream().map(List::copyOf).toList();
  }

  /** Tells one archive from another: all its chunks, in order. */
  static Digest digest(Archive archive) {
    MessageDigest sha256 = Digest.sha256();
    for (List<Chunk> chunks : List.of(archive.chunks(), archive.entryIndex())) {
      for (Chunk chunk : chunks) {
        sha256.update(chunk.digest().hex().getBytes(StandardCharsets.US_ASCII));
      }
      sha256.update((byte) '\n');
    }
    return Digest.of(sha256);
  }

  /** With one set more, and without the oldest if they become too many. */
  ArchiveFacts with(List<GroupFact> newest) {
    List<List<GroupFact>> all = new ArrayList<>();
    all.add(newest);
    sets.stream().filter(set -> !set.equals(newest)).limit(SETS_MAX - 1).forEach(all::add);
    return new ArchiveFacts(boot, archive, all);
  }

  /** How many bytes {@link #encoded} takes. */
  long bytes() {
    long facts = sets.stream().mapToLong(List::size).sum();
    return 256 + facts * GroupFact.BYTES;
  }

  byte[] encoded() {
    byte[] name = boot.getBytes(StandardCharsets.US_ASCII);
    ByteBuffer to = ByteBuffer.allocate(Math.toIntExact(bytes()));
    to.put(MAGIC).put((byte) name.length).put(name).put(HEX.parseHex(archive.hex()));
    to.put((byte) sets.size());
    for (List<GroupFact> set : sets) {
      to.putInt(set.size());
      set.forEach(fact -> fact.write(to));
    }
    MessageDigest sha256 = Digest.sha256();
    sha256.update(to.duplicate().flip());
    to.put(sha256.digest());
    return Arrays.copyOf(to.array(), to.position());
  }

  /**
   * Reads what {@link #encoded} wrote.
   *
   * @throws IOException if these are other bytes
   */
  static ArchiveFacts decoded(byte[] bytes) throws IOException {
    try {
      int length = bytes.length - SHA_256_BYTES;
      MessageDigest sha256 = Digest.sha256();
      sha256.update(bytes, 0, Math.max(length, 0));
      ByteBuffer from = ByteBuffer.wrap(bytes);
      if (length < MAGIC.length
          || !Arrays.equals(sha256.digest(), 0, SHA_256_BYTES, bytes, length, bytes.length)
          || !Arrays.equals(taken(from, MAGIC.length), MAGIC)) {
        throw new IOException("no facts, of another version, or damaged");
      }
      String boot = new String(taken(from, from.get()), StandardCharsets.US_ASCII);
      Digest archive = new Digest(HEX.formatHex(taken(from, SHA_256_BYTES)));
      List<List<GroupFact>> sets = new ArrayList<>();
      for (int left = from.get(); left > 0; left--) {
        sets.add(set(from));
      }
      return new ArchiveFacts(boot, archive, sets);
    } catch (BufferUnderflowException e) {
      throw new IOException("facts that end too soon", e);
    }
  }

  private static List<GroupFact> set(ByteBuffer from) throws IOException {
    int count = from.getInt();
    if (count < 0 || count > from.remaining() / GroupFact.BYTES) {
      throw new IOException("more facts than fit");
    }
    List<GroupFact> set = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      set.add(GroupFact.read(from));
    }
    return set;
  }

  private static byte[] taken(ByteBuffer from, int length) throws IOException {
    if (length < 0 || length > BOOT_BYTES_MAX) {
      throw new IOException("a name too long");
    }
    byte[] bytes = new byte[length];
    from.get(bytes);
    return bytes;
  }
}
