package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.overlay.Whiteouts;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.chunk.ChunkSink;
import java.io.IOException;
import java.util.List;

/** Turns groups into bytes of the tar stream and records of the entry index; reads the files. */
final class EntryWriter {
  private static final int WHITEOUT_MODE = 0600;
  private static final Stat.Time EPOCH = new Stat.Time(0, 0);
  private static final EntryIndex.Hole[] NO_HOLES = EntryIndex.NO_HOLES;

  private final ChunkSink sink;
  private final EntryIndexWriter index;
  private final XattrFilter xattrs;
  private final IdMap users;
  private final IdMap groups;
  private final Watch watch;
  private final FileContent content;
  private final FilesAhead files;
  private final TarHeader header = new TarHeader();
  private long entries;
  private boolean groupBegins;

  EntryWriter(
      ChunkSink sink,
      EntryIndexWriter index,
      XattrFilter xattrs,
      IdMap users,
      IdMap groups,
      FilesAhead files,
      Watch watch) {
    this.sink = sink;
    this.index = index;
    this.xattrs = xattrs;
    this.users = users;
    this.groups = groups;
    this.files = files;
    this.watch = watch;
    this.content = new FileContent(sink, watch);
  }

  long entries() {
    return entries;
  }

  /** Writes a group into chunks of its own. */
  void write(Group group) throws IOException {
    groupBegins = true;
    for (TreeEntry entry : group.entries()) {
      count(1);
      write(entry);
      watch.at(entries, sink.position());
    }
    sink.cut();
  }

  /** So many entries went into the archive without this writer. */
  void reused(int count) throws RegenException {
    count(count);
    watch.at(entries, sink.position());
  }

  private void count(int more) throws RegenException {
    entries += more;
    if (entries > Archive.ENTRIES_MAX) {
      throw new RegenException.Refused(
          "the layer has more than " + Archive.ENTRIES_MAX + " entries; exclude some");
    }
  }

  private boolean takeGroupMark() {
    boolean taken = groupBegins;
    groupBegins = false;
    return taken;
  }

  private void write(TreeEntry entry) throws IOException {
    switch (entry.type()) {
      case FILE -> {
        if (entry.stat().size() == 0) {
          plain(entry, TarHeader.FILE, EntryIndex.NO_BYTES, EntryIndex.NO_BYTES);
        } else {
          file(entry);
        }
      }
      case DIRECTORY -> directory(entry);
      case SYMLINK -> symlink(entry);
      case HARD_LINK -> hardLink(entry);
      case CHARACTER_DEVICE -> device(entry, TarHeader.CHARACTER_DEVICE);
      case BLOCK_DEVICE -> device(entry, TarHeader.BLOCK_DEVICE);
      case FIFO -> plain(entry, TarHeader.FIFO, EntryIndex.NO_BYTES, EntryIndex.NO_BYTES);
      case WHITEOUT -> mark(entry, Whiteouts.deletion(entry.name()));
      case OPAQUE -> mark(entry, Fd.bytes(Whiteouts.OPAQUE_ENTRY));
    }
  }

  private void file(TreeEntry entry) throws IOException {
    byte[] path = entry.path();
    Stat stat = entry.stat();
    try (Fd fd = files.take(entry)) {
      List<Xattr> kept = xattrs.kept(path, fd.xattrNames(), fd::xattr);
      long from = sink.position();
      byte[] stored = Whiteouts.storedPath(path);
      header.build(member(entry, TarHeader.FILE, stored, EntryIndex.NO_BYTES, kept));
      if (!entry.isLarge()) {
        sink.room(header.length() + (int) EntryIndex.padded(stat.size()));
      }
      sink.put(header.bytes(), 0, header.length());
      List<EntryIndex.Hole> holes = content.copy(fd, path, stat, entry.isLarge());
      sink.zeros(EntryIndex.padded(stat.size()) - stat.size());
      checkSame(path, stat, fd.stat());
      record(entry, EntryIndex.NO_BYTES, !kept.isEmpty(), from, holes.toArray(NO_HOLES));
    }
  }

  /** Not by ctime: that a name of it elsewhere came or went takes nothing from the content. */
  private static void checkSame(byte[] path, Stat walked, Stat read) throws RegenException {
    if (read.links() == 0 && walked.links() > 0) {
      throw TreeChanged.at(path, TreeChanged.GONE);
    }
    if (read.inode() != walked.inode()
        || read.type() != walked.type()
        || read.size() != walked.size()
        || !read.mtime().equals(walked.mtime())) {
      throw TreeChanged.at(path, "was written to");
    }
  }

  private void directory(TreeEntry entry) throws IOException {
    List<Xattr> kept =
        entry.xattrNames().isEmpty()
            ? List.of()
            : xattrs.kept(entry.path(), entry.xattrNames(), entry.directory().fd()::xattr);
    byte[] path = entry.path().length == 0 ? Fd.bytes(".") : Whiteouts.storedPath(entry.path());
    byte[] stored = Paths.below(path, EntryIndex.NO_BYTES);
    emit(entry, TarHeader.DIRECTORY, stored, EntryIndex.NO_BYTES, EntryIndex.NO_BYTES, kept);
  }

  private void symlink(TreeEntry entry) throws IOException {
    Fd directory = entry.directory().fd();
    byte[] target = TreeChanged.during(entry.path(), () -> directory.readlinkAt(entry.name()));
    if (target.length != entry.stat().size()) {
      throw TreeChanged.at(entry.path(), "points elsewhere now");
    }
    plain(entry, TarHeader.SYMLINK, target, target);
  }

  private void hardLink(TreeEntry entry) throws IOException {
    byte[] stored = Whiteouts.storedPath(entry.path());
    byte[] target = Whiteouts.storedPath(entry.target());
    emit(entry, TarHeader.HARD_LINK, stored, target, entry.target(), List.of());
  }

  private void device(TreeEntry entry, byte type) throws IOException {
    plain(entry, type, EntryIndex.NO_BYTES, EntryIndex.NO_BYTES);
  }

  /** An entry without content, its attributes asked for by name. */
  private void plain(TreeEntry entry, byte type, byte[] link, byte[] target) throws IOException {
    Fd directory = entry.directory().fd();
    byte[] path = entry.path();
    List<byte[]> names = TreeChanged.during(path, () -> directory.xattrNamesAt(entry.name()));
    List<Xattr> kept =
        xattrs.kept(path, names, attribute -> directory.xattrAt(entry.name(), attribute));
    emit(entry, type, Whiteouts.storedPath(path), link, target, kept);
  }

  private void emit(
      TreeEntry entry, byte type, byte[] stored, byte[] link, byte[] target, List<Xattr> kept)
      throws IOException {
    long from = sink.position();
    header.build(member(entry, type, stored, link, kept));
    sink.put(header.bytes(), 0, header.length());
    record(entry, target, !kept.isEmpty(), from, NO_HOLES);
  }

  private TarHeader.Member member(
      TreeEntry entry, byte type, byte[] stored, byte[] link, List<Xattr> kept)
      throws RegenException {
    Stat stat = entry.stat();
    boolean device = type == TarHeader.CHARACTER_DEVICE || type == TarHeader.BLOCK_DEVICE;
    return new TarHeader.Member(
        type,
        stored,
        link,
        stat.permissions(),
        XattrFilter.inside(entry.path(), users, "user", stat.uid()),
        XattrFilter.inside(entry.path(), groups, "group", stat.gid()),
        stat.mtime(),
        type == TarHeader.FILE ? stat.size() : 0,
        device ? stat.rdev() : 0,
        kept);
  }

  /** An empty file that says something of its directory; owner and time would mean nothing. */
  private void mark(TreeEntry entry, byte[] last) throws IOException {
    byte[] directory = Whiteouts.storedPath(entry.directory().path());
    byte[] stored = Paths.below(directory, last);
    long from = sink.position();
    header.build(
        new TarHeader.Member(
            TarHeader.FILE,
            stored,
            EntryIndex.NO_BYTES,
            WHITEOUT_MODE,
            0,
            0,
            EPOCH,
            0,
            0,
            List.of()));
    sink.put(header.bytes(), 0, header.length());
    index.add(
        new EntryIndex.Entry(
            entry.path(),
            entry.type(),
            WHITEOUT_MODE,
            0,
            0,
            EPOCH,
            0,
            0,
            EntryIndex.NO_BYTES,
            false,
            from,
            sink.position() - from,
            NO_HOLES,
            takeGroupMark()));
  }

  private void record(
      TreeEntry entry, byte[] target, boolean hasXattrs, long from, EntryIndex.Hole[] holes)
      throws IOException {
    Stat stat = entry.stat();
    boolean device =
        entry.type() == EntryIndex.Type.CHARACTER_DEVICE
            || entry.type() == EntryIndex.Type.BLOCK_DEVICE;
    index.add(
        new EntryIndex.Entry(
            entry.path(),
            entry.type(),
            stat.permissions(),
            users.inside(stat.uid() & 0xFFFFFFFFL),
            groups.inside(stat.gid() & 0xFFFFFFFFL),
            stat.mtime(),
            entry.type() == EntryIndex.Type.FILE ? stat.size() : 0,
            device ? stat.rdev() : 0,
            target,
            hasXattrs,
            from,
            sink.position() - from,
            holes,
            takeGroupMark()));
  }
}
