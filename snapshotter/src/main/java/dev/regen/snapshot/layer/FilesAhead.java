package dev.regen.snapshot.layer;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import java.io.IOException;
import java.util.IdentityHashMap;

/**
 * Opens small files some time before they are read, and has the kernel begin to read them: who
 * reads one after the other otherwise waits for the disk at each. Of a large file the kernel itself
 * reads ahead.
 *
 * <p>At most {@value #FILES_MAX} are open; whatever could not be opened ahead is opened when it is
 * its turn. For one thread.
 */
final class FilesAhead implements AutoCloseable {
  private static final int FLAGS = Fd.RDONLY | Fd.NONBLOCK | Fd.NOATIME;
  private static final int FILES_MAX = 512;
  private static final int ENOUGH = 128;

  private final IdentityHashMap<TreeEntry, Fd> open = new IdentityHashMap<>();

  /** Whether another group is to be opened before one is read. */
  boolean wantsMore() {
    return open.size() < ENOUGH;
  }

  /** Opens those of a group that {@link #take} will ask for. */
  void open(Group group) throws IOException {
    for (TreeEntry entry : group.entries()) {
      if (entry.type() == EntryIndex.Type.FILE
          && entry.stat().size() > 0
          && !entry.isLarge()
          && open.size() < FILES_MAX) {
        try {
          Fd fd = entry.directory().fd().openAt(entry.name(), FLAGS, 0);
          open.put(entry, fd);
          fd.startReading();
        } catch (ErrnoException e) {
          return; // Who takes it finds out why.
        }
      }
    }
  }

  /** A file of the walk, open at its start; the caller closes it. */
  Fd take(TreeEntry entry) throws IOException {
    Fd ahead = open.remove(entry);
    if (ahead != null) {
      return ahead;
    }
    Fd directory = entry.directory().fd();
    return TreeChanged.during(entry.path(), () -> directory.openAt(entry.name(), FLAGS, 0));
  }

  @Override
  public void close() {
    open.values().forEach(Fd::close);
    open.clear();
  }
}
