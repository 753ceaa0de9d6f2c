package dev.regen.snapshot.layer;

import dev.regen.runtime.oci.FrozenLayer.IdRange;
import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Files on disk as items of a layer, ids as the container sees them. The files may change
 * meanwhile: one that has vanished has no content and no attributes then. For one thread.
 */
final class DiskFiles {
  private static final int FLAGS = Fd.RDONLY | Fd.NONBLOCK | Fd.NOATIME;
  private static final int BUFFER_BYTES = 256 << 10;

  private final IdMap users;
  private final IdMap groups;
  private final XattrFilter xattrs;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);

  DiskFiles(List<IdRange> uidMap, List<IdRange> gidMap) {
    users = new IdMap(uidMap);
    groups = new IdMap(gidMap);
    xattrs = new XattrFilter(users, groups, new Omissions());
  }

  /** What a type of {@code st_mode} is in a layer, null for what no layer holds. */
  static EntryIndex.@Nullable Type type(Stat stat) {
    return switch (stat.type()) {
      case Stat.REGULAR -> EntryIndex.Type.FILE;
      case Stat.DIRECTORY -> EntryIndex.Type.DIRECTORY;
      case Stat.SYMLINK -> EntryIndex.Type.SYMLINK;
      case Stat.CHARACTER_DEVICE -> EntryIndex.Type.CHARACTER_DEVICE;
      case Stat.BLOCK_DEVICE -> EntryIndex.Type.BLOCK_DEVICE;
      case Stat.FIFO -> EntryIndex.Type.FIFO;
      default -> null;
    };
  }

  /**
   * An item; reads nothing but the target of a symbolic link.
   *
   * @param name in {@code directory}, {@code .} for itself
   * @param target of a hard link the path of the file, else empty
   */
  LayerItem item(
      Directory directory, byte[] name, byte[] path, EntryIndex.Type type, Stat stat, byte[] target)
      throws IOException {
    byte[] points = type == EntryIndex.Type.SYMLINK ? directory.fd().readlinkAt(name) : target;
    boolean device =
        type == EntryIndex.Type.CHARACTER_DEVICE || type == EntryIndex.Type.BLOCK_DEVICE;
    EntryIndex.Entry entry =
        new EntryIndex.Entry(
            path,
            type,
            stat.permissions(),
            users.inside(stat.uid() & 0xFFFFFFFFL),
            groups.inside(stat.gid() & 0xFFFFFFFFL),
            stat.mtime(),
            type == EntryIndex.Type.FILE ? stat.size() : 0,
            device ? stat.rdev() : 0,
            points,
            true,
            0,
            0,
            EntryIndex.NO_HOLES,
            false);
    return new Item(directory, name, stat, entry);
  }

  /** Whether a failed call means that what it was about is not there any more. */
  static boolean hasVanished(IOException e) {
    return switch (e) {
      case ErrnoException errno ->
          errno.errno() == ErrnoException.ENOENT
              || errno.errno() == ErrnoException.ENOTDIR
              || errno.errno() == ErrnoException.ELOOP;
      default -> TreeChanged.isBehind(e);
    };
  }

  private final class Item implements LayerItem {
    private final Directory directory;
    private final byte[] name;
    private final Stat stat;
    private final EntryIndex.Entry entry;

    private Item(Directory directory, byte[] name, Stat stat, EntryIndex.Entry entry) {
      this.directory = directory;
      this.name = name;
      this.stat = stat;
      this.entry = entry;
    }

    @Override
    public EntryIndex.Entry entry() {
      return entry;
    }

    @Override
    public LayerItem resolved() throws IOException {
      EntryIndex.Type type = type(stat);
      return entry.type() == EntryIndex.Type.HARD_LINK && type != null
          ? item(directory, name, entry.path(), type, stat, EntryIndex.NO_BYTES)
          : this;
    }

    @Override
    public boolean mayHaveXattrs() {
      return true;
    }

    @Override
    public List<Xattr> xattrs() throws IOException {
      try {
        Fd fd = directory.fd();
        List<byte[]> names = fd.xattrNamesAt(name);
        return xattrs.kept(entry.path(), names, attribute -> fd.xattrAt(name, attribute));
      } catch (IOException e) {
        if (hasVanished(e)) {
          return List.of();
        }
        throw e;
      }
    }

    @Override
    public FileBytes content() throws IOException {
      try {
        return new Content(directory.fd().openAt(name, FLAGS, 0));
      } catch (IOException e) {
        if (hasVanished(e)) {
          return new Content(null);
        }
        throw e;
      }
    }

    @Override
    public boolean isOlderThan(Instant moment) {
      Stat.Time ctime = stat.ctime();
      return Instant.ofEpochSecond(ctime.seconds(), ctime.nanos()).isBefore(moment);
    }

    @Override
    public boolean isStoredAs(LayerItem other) {
      return false;
    }
  }

  /** What {@code read(2)} gives, a buffer at a time. */
  private final class Content implements FileBytes {
    private final @Nullable Fd fd;

    private Content(@Nullable Fd fd) {
      this.fd = fd;
    }

    @Override
    public @Nullable Stretch next() throws IOException {
      buffer.clear();
      if (fd == null || fd.read(buffer) == 0) {
        return null;
      }
      ByteBuffer read = buffer.flip().slice();
      return new Stretch() {
        @Override
        public int length() {
          return read.remaining();
        }

        @Override
        public boolean isKnownToEqual(Stretch other) {
          return false;
        }

        @Override
        public ByteBuffer bytes() {
          return read;
        }
      };
    }

    @Override
    public void close() {
      if (fd != null) {
        fd.close();
      }
    }
  }
}
