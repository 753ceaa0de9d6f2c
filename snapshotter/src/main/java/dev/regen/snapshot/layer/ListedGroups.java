package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Brings the groups of a {@link ListedTree} into an archive. */
final class ListedGroups {
  private final Listing.Reader listing;
  private final Directory files;
  private Directory last;

  /**
   * @param files where the linked files are
   */
  ListedGroups(Listing.Reader listing, Directory files) {
    this.listing = listing;
    this.files = files;
    this.last = files;
  }

  /** Writes all groups, and adds to {@code omissions} what the freeze had to leave out. */
  void write(GroupWriter writer, KnownGroups known, Omissions omissions) throws IOException {
    for (Listing.Item item = listing.next(); item != null; item = listing.next()) {
      switch (item) {
        case Listing.Item.Known group -> take(group, writer, known);
        case Listing.Item.Linked group -> writer.write(writer.planLinked(group(group)));
      }
    }
    listing.omissions().words().forEach(omissions::add);
    omissions.more(listing.omissions().count() - listing.omissions().words().size());
  }

  private static void take(Listing.Item.Known group, GroupWriter writer, KnownGroups known)
      throws IOException {
    StoredGroup stored =
        known.stored(
            group.chunks(), group.indexChunk(), group.offset(), group.length(), group.entries());
    if (stored == null) {
      throw new RegenException.Damaged(
          "chunks of "
              + Paths.shown(group.firstPath())
              + " and what follows are gone, which the frozen layer counts on; "
              + "run `regen verify --repair`");
    }
    writer.take(group.firstPath(), group.key(), stored);
  }

  private Group group(Listing.Item.Linked group) throws IOException {
    List<TreeEntry> entries = new ArrayList<>(group.entries().size());
    for (Listing.Entry entry : group.entries()) {
      entries.add(entry(entry));
    }
    return new Group(entries);
  }

  private TreeEntry entry(Listing.Entry entry) throws IOException {
    byte[] path = entry.path();
    boolean self =
        path.length == 0
            || entry.type() == EntryIndex.Type.DIRECTORY
            || entry.type() == EntryIndex.Type.OPAQUE;
    int slash = self ? path.length : lastSlash(path);
    byte[] above = Arrays.copyOf(path, Math.max(slash, 0));
    byte[] name = self ? Fd.bytes(".") : Arrays.copyOfRange(path, slash + 1, path.length);
    boolean read =
        entry.type() != EntryIndex.Type.WHITEOUT
            && entry.type() != EntryIndex.Type.HARD_LINK
            && entry.type() != EntryIndex.Type.OPAQUE;
    Directory directory = read ? directory(above) : files.unopened(above);
    List<byte[]> xattrs =
        entry.type() == EntryIndex.Type.DIRECTORY ? directory.fd().xattrNames() : List.of();
    Stat stat = entry.type() == EntryIndex.Type.FILE ? now(entry, directory, name) : entry.stat();
    return new TreeEntry(directory, name, path, entry.type(), stat, entry.target(), xattrs);
  }

  /**
   * A file may have been written to in its container's upper since: then it is taken as it is now,
   * for nobody has what it was, and the layer must not be refused for ever.
   */
  private static Stat now(Listing.Entry entry, Directory directory, byte[] name)
      throws IOException {
    Stat now = directory.fd().statAt(name);
    boolean same = now.size() == entry.stat().size() && now.mtime().equals(entry.stat().mtime());
    return same ? entry.stat() : now;
  }

  private Directory directory(byte[] path) throws IOException {
    if (!Arrays.equals(last.path(), path)) {
      Directory found = files;
      for (int from = 0; from < path.length; ) {
        int to = from;
        while (to < path.length && path[to] != '/') {
          to++;
        }
        byte[] name = Arrays.copyOfRange(path, from, to);
        byte[] whole = Arrays.copyOf(path, to);
        found = found.child(name, whole, found.fd().statAt(name));
        from = to + 1;
      }
      last = found;
    }
    return last;
  }

  private static int lastSlash(byte[] path) {
    int at = path.length - 1;
    while (at >= 0 && path[at] != '/') {
      at--;
    }
    return at;
  }
}
