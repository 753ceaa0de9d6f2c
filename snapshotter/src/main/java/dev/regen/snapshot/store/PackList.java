package dev.regen.snapshot.store;

import dev.regen.runtime.durable.Disk;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * The list of a pack's chunks, which stands behind their bytes and names the file: its name is the
 * list's SHA-256.
 *
 * <p>Big-endian: for each chunk its digest (32 bytes) and its length (4), in the order of the
 * bytes; 16 random bytes, so that no two packs have one name; the count (4); {@code RGNPACK1}.
 */
public final class PackList {
  /** The most chunks in a pack. */
  public static final int ENTRIES_MAX = 4096;

  private static final byte[] MAGIC =
      "RGNPACK1".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
  private static final int DIGEST_BYTES = 32;
  private static final int ENTRY_BYTES = DIGEST_BYTES + Integer.BYTES;
  private static final int NONCE_BYTES = 16;
  private static final int FOOT_BYTES = NONCE_BYTES + Integer.BYTES + MAGIC.length;

  /** The most a list takes. */
  public static final int BYTES_MAX = ENTRIES_MAX * ENTRY_BYTES + FOOT_BYTES;

  /** What is read at first: the list of a pack as they usually are. */
  private static final int USUAL_BYTES = 8 << 10;

  private static final SecureRandom RANDOM = new SecureRandom();

  private final List<Digest> digests;
  private final int[] ends;

  /** Some bytes of a pack. */
  @FunctionalInterface
  public interface Source {
    byte[] read(long offset, int length) throws IOException;
  }

  /**
   * @param ends where each chunk ends, counted from the pack's start
   */
  public PackList(List<Digest> digests, int[] ends) {
    this.digests = digests;
    this.ends = ends;
  }

  public List<Digest> digests() {
    return digests;
  }

  /** Where each chunk ends, counted from the pack's start. */
  public int[] ends() {
    return ends;
  }

  /** How many bytes {@link #writeTo} writes. */
  public int bytes() {
    return bytes(digests.size());
  }

  /** The same, for so many chunks. */
  public static int bytes(int chunks) {
    return chunks * ENTRY_BYTES + FOOT_BYTES;
  }

  /** Writes the list behind the chunks in {@code pack}; returns the pack's name. */
  public String writeTo(ByteBuffer pack) {
    int from = pack.position();
    int begin = 0;
    for (int i = 0; i < digests.size(); i++) {
      pack.put(HexFormat.of().parseHex(digests.get(i).hex())).putInt(ends[i] - begin);
      begin = ends[i];
    }
    byte[] nonce = new byte[NONCE_BYTES];
    RANDOM.nextBytes(nonce);
    pack.put(nonce).putInt(digests.size()).put(MAGIC);
    return Digest.of(pack.slice(from, pack.position() - from)).hex();
  }

  /** As the other {@code read}, of a file. */
  static PackList read(Disk disk, Path file) throws IOException {
    String name = file.getFileName().toString();
    return read(
        file.toString(),
        name,
        disk.size(file),
        (offset, length) -> disk.read(file, offset, length));
  }

  /**
   * Reads the list of a pack: its last bytes, in one or two pieces.
   *
   * @param called what errors call the pack
   * @param name its name, which is compared with its list
   * @param size its length in bytes
   * @throws RegenException.Damaged if it is none, or does not fit its name or its length
   */
  public static PackList read(String called, String name, long size, Source pack)
      throws IOException {
    int usual = (int) Math.min(USUAL_BYTES, size);
    if (size < FOOT_BYTES + ENTRY_BYTES + 1) {
      throw damaged(called, "it is too short");
    }
    ByteBuffer foot = ByteBuffer.wrap(pack.read(size - usual, usual));
    int count = foot.getInt(usual - MAGIC.length - Integer.BYTES);
    long length = (long) count * ENTRY_BYTES + FOOT_BYTES;
    byte[] magic = new byte[MAGIC.length];
    foot.get(usual - MAGIC.length, magic);
    if (!java.util.Arrays.equals(magic, MAGIC)
        || count < 1
        || count > ENTRIES_MAX
        || length >= size) {
      throw damaged(called, "its end is not that of a pack");
    }
    ByteBuffer list =
        length <= usual
            ? foot.slice(usual - (int) length, (int) length)
            : ByteBuffer.wrap(pack.read(size - length, (int) length));
    if (!Digest.of(list.duplicate()).hex().equals(name)) {
      throw damaged(called, "its list is another than its name says");
    }
    return read(called, list, count, size - length);
  }

  private static PackList read(String called, ByteBuffer list, int count, long bytes)
      throws RegenException {
    List<Digest> digests = new ArrayList<>(count);
    int[] ends = new int[count];
    long end = 0;
    byte[] digest = new byte[DIGEST_BYTES];
    for (int i = 0; i < count; i++) {
      list.get(digest);
      digests.add(new Digest(HexFormat.of().formatHex(digest)));
      int length = list.getInt();
      end += length;
      if (length < 1 || length > Chunk.STORED_BYTES_MAX || end > bytes) {
        throw damaged(called, "its lengths do not fit");
      }
      ends[i] = (int) end;
    }
    if (end != bytes) {
      throw damaged(called, "its lengths do not fit");
    }
    return new PackList(digests, ends);
  }

  private static RegenException.Damaged damaged(String called, String why) {
    return new RegenException.Damaged("the pack " + called + " is damaged: " + why);
  }
}
