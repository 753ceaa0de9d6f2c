package dev.regen.snapshot.layer;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.facts.GroupKey;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A layer tree frozen by what is known of it: hard links to the files of the groups that no archive
 * has, and a listing, which names the chunks of all other groups. Costs a walk and what has
 * changed.
 *
 * <p>The chunks that the listing names must be kept until the tree is archived: {@link #chunks}.
 */
public final class ListedTree {
  private static final byte[] SELF = {'.'};
  private static final int LOOK_EVERY = 256;

  private final Fd files;
  private final long deadlineNanos;
  private final Listing.Writer listing = new Listing.Writer();
  private @Nullable Directory lastDirectory;
  private @Nullable Fd lastCopy;
  private int sinceLook;

  private ListedTree(Fd files, Duration limit) throws IOException {
    this.files = files;
    this.deadlineNanos = System.nanoTime() + limit.toNanos();
  }

  /**
   * Freezes {@code upper}, on which nothing may run, into the new directory {@code into} and the
   * new file {@code listing}, which is forced to the disk. Links change times of files.
   *
   * @param known must be good until whoever keeps chunks can read the listing
   * @return false if that takes longer than {@code limit}, or has to tell more than a listing may
   *     hold; {@code into} then holds a part, and there is no listing
   */
  public static boolean make(
      Disk disk,
      Path upper,
      ArchiveRequest request,
      KnownGroups known,
      Path into,
      Path listing,
      Duration limit,
      InstantSource clock)
      throws IOException {
    GroupKeys keys = new GroupKeys(request, clock.instant());
    disk.makeDirectories(into);
    Omissions omissions = new Omissions();
    try (Fd root = Fd.directory(upper);
        Fd files = Fd.directory(into);
        Directory.Open open = new Directory.Open();
        TreeWalk walk = new TreeWalk(Directory.root(open, root), request, omissions)) {
      ListedTree tree = new ListedTree(files, limit);
      Grouping grouping = new Grouping(walk, request.sealing().cutting());
      try {
        for (Group group = grouping.next(); group != null; group = grouping.next()) {
          if (tree.isOver(group) || !tree.add(group, keys, known)) {
            return false;
          }
        }
      } finally {
        tree.leave();
      }
      new Records(disk).replace(listing, tree.listing.finished(omissions));
      return true;
    }
  }

  /** Every chunk that an archive will take over which is made with {@code listing}. */
  public static Set<Digest> chunks(Disk disk, Path listing) throws IOException {
    Set<Digest> chunks = new HashSet<>();
    Listing.Reader reader = read(disk, listing);
    for (Listing.Item item = reader.next(); item != null; item = reader.next()) {
      if (item instanceof Listing.Item.Known group) {
        group.chunks().forEach(chunk -> chunks.add(chunk.digest()));
        chunks.add(group.indexChunk().digest());
      }
    }
    return chunks;
  }

  static Listing.Reader read(Disk disk, Path listing) throws IOException {
    return new Listing.Reader(disk.read(listing, Listing.BYTES_MAX));
  }

  private boolean isOver(Group group) {
    sinceLook += group.entries().size();
    if (sinceLook < LOOK_EVERY) {
      return false;
    }
    sinceLook = 0;
    return System.nanoTime() > deadlineNanos || listing.length() > Listing.BYTES_MAX / 2;
  }

  /** False if it cannot be told. */
  private boolean add(Group group, GroupKeys keys, KnownGroups known) throws IOException {
    GroupKey key = keys.of(group);
    StoredGroup stored = key == null ? null : known.find(key);
    if (key != null && stored != null && stored.entries() == group.entries().size()) {
      listing.known(group.entries().getFirst().path(), key, stored);
      return true;
    }
    List<Listing.Entry> entries = new ArrayList<>(group.entries().size());
    for (TreeEntry entry : group.entries()) {
      Stat stat = linked(entry);
      entries.add(new Listing.Entry(entry.path(), entry.target(), entry.type(), stat));
    }
    listing.linked(entries);
    return listing.length() <= Listing.BYTES_MAX / 2;
  }

  /** Sets aside what the archive will read of an entry, and says what it is then. */
  private Stat linked(TreeEntry entry) throws IOException {
    Directory directory = entry.directory();
    return switch (entry.type()) {
      case DIRECTORY -> {
        Fd copy = copyOf(directory);
        for (byte[] name : entry.xattrNames()) {
          byte[] value = directory.fd().xattr(name);
          if (value != null) {
            copy.setXattrAt(SELF, name, value);
          }
        }
        yield entry.stat();
      }
      case HARD_LINK, WHITEOUT, OPAQUE -> entry.stat();
      case FILE, SYMLINK, CHARACTER_DEVICE, BLOCK_DEVICE, FIFO -> {
        Fd copy = copyOf(directory);
        copy.linkAt(directory.fd(), entry.name(), entry.name());
        yield copy.statAt(entry.name());
      }
    };
  }

  /** The directory beside {@code directory} that its files are linked in; made if need be. */
  private Fd copyOf(Directory directory) throws IOException {
    Fd copy = lastCopy;
    if (copy != null && directory == lastDirectory) {
      return copy;
    }
    leave();
    byte[] path = directory.path();
    copy = files.openAt(SELF, Fd.RDONLY | Fd.DIRECTORY, 0);
    for (int from = 0; from < path.length; ) {
      int to = from;
      while (to < path.length && path[to] != '/') {
        to++;
      }
      byte[] name = java.util.Arrays.copyOfRange(path, from, to);
      try (Fd above = copy) {
        if (above.statIfThere(name) == null) {
          above.mkdirAt(name, 0700);
        }
        copy = above.openAt(name, Fd.RDONLY | Fd.DIRECTORY, 0);
      }
      from = to + 1;
    }
    lastDirectory = directory;
    lastCopy = copy;
    return copy;
  }

  private void leave() {
    Fd copy = lastCopy;
    lastCopy = null;
    if (copy != null) {
      copy.close();
    }
  }
}
