package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Stat;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.facts.GroupKey;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The groups of a layer tree in the order of its walk, as the file beside the linked files says it:
 * {@code RGLS} and a version · groups · what was left out · the SHA-256 of all that.
 */
final class Listing {
  static final int BYTES_MAX = 64 << 20;

  private static final byte[] MAGIC = {'R', 'G', 'L', 'S', 1};
  private static final int SHA_256_BYTES = 32;
  private static final int END = 0;
  private static final int KNOWN = 1;
  private static final int LINKED = 2;
  private static final EntryIndex.Type[] TYPES = EntryIndex.Type.values();
  private static final HexFormat HEX = HexFormat.of();

  private Listing() {}

  /** What the listing has of an entry; {@code stat} as after it was linked. */
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  record Entry(byte[] path, byte[] target, EntryIndex.Type type, Stat stat) {}

  /** A group. */
  sealed interface Item {
    /** A group that archives before have; its files are not here. */
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    record Known(
        byte[] firstPath,
        GroupKey key,
        List<Chunk> chunks,
        Chunk indexChunk,
        int offset,
        int length,
        int entries)
        implements Item {}

    /** A group whose files are linked beside the listing. */
    record Linked(List<Entry> entries) implements Item {}
  }

  /** Grows a listing in memory. */
  static final class Writer {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(1 << 20);
    private final DataOutputStream out = new DataOutputStream(bytes);

    Writer() throws IOException {
      out.write(MAGIC);
    }

    int length() {
      return bytes.size();
    }

    void known(byte[] firstPath, GroupKey key, StoredGroup group) throws IOException {
      out.writeByte(KNOWN);
      bytes(firstPath);
      key(key);
      chunk(group.indexChunk());
      out.writeInt(group.offset());
      out.writeInt(group.length());
      out.writeInt(group.entries());
      out.writeInt(group.chunks().size());
      for (Chunk chunk : group.chunks()) {
        chunk(chunk);
      }
    }

    void linked(List<Entry> entries) throws IOException {
      out.writeByte(LINKED);
      out.writeInt(entries.size());
      for (Entry entry : entries) {
        bytes(entry.path);
        bytes(entry.target);
        out.writeByte(entry.type.code());
        stat(entry.stat);
      }
    }

    byte[] finished(Omissions omissions) throws IOException {
      out.writeByte(END);
      out.writeLong(omissions.count());
      out.writeInt(omissions.words().size());
      for (String word : omissions.words()) {
        bytes(dev.regen.runtime.os.Fd.bytes(word));
      }
      MessageDigest sha256 = Digest.sha256();
      sha256.update(bytes.toByteArray());
      out.write(sha256.digest());
      return bytes.toByteArray();
    }

    private void stat(Stat stat) throws IOException {
      out.writeInt(stat.mode());
      out.writeInt(stat.uid());
      out.writeInt(stat.gid());
      for (long number :
          new long[] {
            stat.inode(), stat.device(), stat.links(), stat.size(), stat.blocks512(), stat.rdev()
          }) {
        out.writeLong(number);
      }
      time(stat.mtime());
      time(stat.ctime());
    }

    private void time(Stat.Time time) throws IOException {
      out.writeLong(time.seconds());
      out.writeInt(time.nanos());
    }

    private void key(GroupKey key) throws IOException {
      for (long part : new long[] {key.a(), key.b(), key.c(), key.d()}) {
        out.writeLong(part);
      }
    }

    private void chunk(Chunk chunk) throws IOException {
      out.write(HEX.parseHex(chunk.digest().hex()));
      out.writeInt(chunk.storedBytes());
      out.writeInt(chunk.tarBytes());
    }

    private void bytes(byte[] bytes) throws IOException {
      out.writeInt(bytes.length);
      out.write(bytes);
    }
  }

  /** Reads a listing whose checksum is right. */
  static final class Reader {
    private final DataInputStream in;
    private final Omissions omissions = new Omissions();

    /**
     * @throws IOException if these are not the bytes that were written
     */
    Reader(byte[] bytes) throws IOException {
      int length = Math.max(bytes.length - SHA_256_BYTES, 0);
      MessageDigest sha256 = Digest.sha256();
      sha256.update(bytes, 0, length);
      if (length < MAGIC.length
          || !Arrays.equals(sha256.digest(), 0, SHA_256_BYTES, bytes, length, bytes.length)
          || !Arrays.equals(MAGIC, 0, MAGIC.length, bytes, 0, MAGIC.length)) {
        throw new IOException("the listing of a frozen layer is damaged or of another version");
      }
      in =
          new DataInputStream(new ByteArrayInputStream(bytes, MAGIC.length, length - MAGIC.length));
    }

    /** The next group, or null after the last. */
    @Nullable Item next() throws IOException {
      int kind = in.readByte();
      return switch (kind) {
        case KNOWN -> known();
        case LINKED -> linked();
        case END -> {
          end();
          yield null;
        }
        default -> throw new IOException("a group of kind " + kind);
      };
    }

    /** After the last group: what the walk left out. */
    Omissions omissions() {
      return omissions;
    }

    private Item known() throws IOException {
      byte[] firstPath = bytes();
      GroupKey key = new GroupKey(in.readLong(), in.readLong(), in.readLong(), in.readLong());
      Chunk indexChunk = chunk();
      int offset = in.readInt();
      int length = in.readInt();
      int entries = in.readInt();
      List<Chunk> chunks = new ArrayList<>();
      for (int left = in.readInt(); left > 0; left--) {
        chunks.add(chunk());
      }
      return new Item.Known(firstPath, key, chunks, indexChunk, offset, length, entries);
    }

    private Item linked() throws IOException {
      List<Entry> entries = new ArrayList<>();
      for (int left = in.readInt(); left > 0; left--) {
        byte[] path = bytes();
        byte[] target = bytes();
        entries.add(new Entry(path, target, TYPES[in.readByte()], stat()));
      }
      return new Item.Linked(entries);
    }

    private void end() throws IOException {
      long count = in.readLong();
      int words = in.readInt();
      for (int i = 0; i < words; i++) {
        omissions.add(new String(bytes(), java.nio.charset.StandardCharsets.UTF_8));
      }
      omissions.more(count - words);
    }

    private Stat stat() throws IOException {
      int mode = in.readInt();
      int uid = in.readInt();
      int gid = in.readInt();
      long inode = in.readLong();
      long device = in.readLong();
      long links = in.readLong();
      long size = in.readLong();
      long blocks = in.readLong();
      long rdev = in.readLong();
      return new Stat(mode, inode, device, links, uid, gid, size, blocks, rdev, time(), time(), 0);
    }

    private Stat.Time time() throws IOException {
      return new Stat.Time(in.readLong(), in.readInt());
    }

    private Chunk chunk() throws IOException {
      String hex = HEX.formatHex(in.readNBytes(SHA_256_BYTES));
      return new Chunk(new Digest(hex), in.readInt(), in.readInt());
    }

    private byte[] bytes() throws IOException {
      return in.readNBytes(in.readInt());
    }
  }
}
