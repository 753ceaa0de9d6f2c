package dev.regen.runtime.overlay;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a container wrote, found by comparing its root with the layer it was copied from: a layer
 * tree in overlay form.
 *
 * <p>Both trees are walked. A file with the same type, mode, owner, size, links and time of change
 * is the same if its inode has not been touched since the root was made; else its attributes and
 * content are compared, since a time of change can be set back. A directory that may have been
 * moved proves nothing of what is in it. Costs two {@code lstat} an entry of the root, and reading
 * what is in doubt.
 */
public final class WrittenLayer {
  private static final int DEPTH_MAX = 2_000;
  private static final byte[] NO_PATH = {};

  private final Untouched untouched;
  private final SameContent contents;
  private final Transfer transfer;
  private final Deadline deadline;
  private boolean found;

  private WrittenLayer(
      Untouched untouched, SameContent contents, Transfer transfer, Deadline deadline) {
    this.untouched = untouched;
    this.contents = contents;
    this.transfer = transfer;
    this.deadline = deadline;
  }

  /**
   * How to compare and how to keep.
   *
   * @param since no file whose inode was touched before this time has changed since the root was
   *     copied; null if not known
   * @param mayLink whether the layer tree may share its files with the root
   * @param limit the most that it may take
   */
  public record How(Stat.@Nullable Time since, boolean mayLink, Duration limit) {}

  /**
   * Makes {@code to}, which must not exist; forces nothing.
   *
   * @param base the layer below, null if everything is the container's
   * @return whether there is any difference
   * @throws LinkedTree.TooLong when the time is over; {@code to} then holds a part
   */
  public static boolean make(Path root, @Nullable Path base, Path to, How how) throws IOException {
    Deadline deadline = new Deadline(root, how.limit());
    try (Fd above = Fd.directory(Objects.requireNonNull(to.getParent(), "no directory above"));
        Fd source = Fd.directory(root);
        Fd below = base == null ? null : Fd.directory(base)) {
      byte[] name = Fd.bytes(to.getFileName());
      above.mkdirAt(name, 0700);
      try (Fd made = above.openAt(name, Fd.RDONLY | Fd.DIRECTORY, 0)) {
        WrittenLayer diff =
            new WrittenLayer(
                new Untouched(how.since()),
                new SameContent(deadline),
                new Transfer(made, how.mayLink(), deadline),
                deadline);
        Side side = new Side(source, below, source.stat(), true, 0);
        diff.walk(side, new LazyDirectory(made));
        Attributes.copy(source, made);
        return diff.found;
      }
    }
  }

  /**
   * One directory on its two sides.
   *
   * @param base null where the layer below has no such directory
   * @param inPlace it has surely not been moved here from elsewhere
   */
  private record Side(Fd root, @Nullable Fd base, Stat stat, boolean inPlace, int depth) {}

  private void walk(Side side, LazyDirectory target) throws IOException {
    if (side.depth() > DEPTH_MAX) {
      throw new IOException("directories lie deeper in each other than " + DEPTH_MAX);
    }
    Fd base = side.base();
    Map<ByteBuffer, byte[]> gone = new HashMap<>();
    if (base != null) {
      base.list().forEach(entry -> gone.put(ByteBuffer.wrap(entry.bytes()), entry.bytes()));
    }
    for (Fd.Name entry : side.root().list()) {
      deadline.pass();
      byte[] name = entry.bytes();
      Stat ours = side.root().statAt(name);
      boolean both = gone.remove(ByteBuffer.wrap(name)) != null;
      Stat theirs = both && base != null ? base.statAt(name) : null;
      if (ours.isDirectory()) {
        directory(side, name, ours, theirs, target);
      } else if (Whiteouts.isDevice(ours)) {
        // Such a device cannot be in a layer tree, where it means a deletion.
        if (theirs != null) {
          whiteOut(target, name);
        }
      } else if (theirs == null || !isSame(side, name, ours, theirs)) {
        found = true;
        transfer.bring(side.root(), name, ours, target.open(), target.path());
      }
    }
    for (byte[] name : gone.values()) {
      whiteOut(target, name);
    }
  }

  private void whiteOut(LazyDirectory target, byte[] name) throws IOException {
    found = true;
    target.open().mknodAt(name, Stat.CHARACTER_DEVICE, 0);
  }

  private void directory(
      Side side, byte[] name, Stat ours, @Nullable Stat theirs, LazyDirectory target)
      throws IOException {
    boolean both = theirs != null && theirs.isDirectory();
    boolean inPlace =
        theirs != null && untouched.inPlace(side.inPlace(), side.stat(), ours, theirs);
    try (Fd root = side.root().openAt(name, Fd.RDONLY | Fd.DIRECTORY, 0);
        Fd base =
            both && side.base() != null
                ? side.base().openAt(name, Fd.RDONLY | Fd.DIRECTORY, 0)
                : null;
        LazyDirectory below = new LazyDirectory(target, name, root)) {
      if (theirs == null || !both || !isSameDirectory(side, name, ours, theirs)) {
        found = true;
        below.open();
      }
      walk(new Side(root, base, ours, inPlace, side.depth() + 1), below);
      below.finish();
    }
  }

  private boolean isSameDirectory(Side side, byte[] name, Stat ours, Stat theirs)
      throws IOException {
    return Untouched.sameFacts(ours, theirs)
        && (untouched.isSure(side.inPlace(), ours, theirs) || sameXattrs(side, name));
  }

  private boolean isSame(Side side, byte[] name, Stat ours, Stat theirs) throws IOException {
    if (!Untouched.sameFacts(ours, theirs)
        || ours.size() != theirs.size()
        || ours.links() != theirs.links()) {
      return false;
    }
    if (untouched.isSure(side.inPlace(), ours, theirs)) {
      return true;
    }
    // Which names are one file cannot be told from one of them.
    return ours.links() == 1
        && sameXattrs(side, name)
        && contents.of(side.root(), Objects.requireNonNull(side.base(), "base"), name, ours);
  }

  private static boolean sameXattrs(Side side, byte[] name) throws IOException {
    return Attributes.same(side.root(), Objects.requireNonNull(side.base(), "base"), name);
  }

  /** A directory of the layer tree that is made when something is put into it. */
  private static final class LazyDirectory implements AutoCloseable {
    private final @Nullable LazyDirectory above;
    private final byte[] name;
    private final byte[] path;
    private final @Nullable Fd source;
    private @Nullable Fd made;

    private LazyDirectory(Fd root) {
      this.above = null;
      this.name = NO_PATH;
      this.path = NO_PATH;
      this.source = null;
      this.made = root;
    }

    private LazyDirectory(LazyDirectory above, byte[] name, Fd source) {
      this.above = above;
      this.name = name;
      this.path = Transfer.below(above.path, name);
      this.source = source;
    }

    private byte[] path() {
      return path;
    }

    private Fd open() throws IOException {
      Fd fd = made;
      if (fd == null) {
        Fd parent = Objects.requireNonNull(above, "the root is made").open();
        parent.mkdirAt(name, 0700);
        fd = parent.openAt(name, Fd.RDONLY | Fd.DIRECTORY, 0);
        made = fd;
      }
      return fd;
    }

    /** Gives it the attributes of its source, if it was made; after all that is in it. */
    private void finish() throws IOException {
      if (made != null && source != null) {
        Attributes.copy(source, made);
      }
    }

    @Override
    public void close() {
      if (made != null && source != null) {
        made.close();
      }
    }
  }
}
