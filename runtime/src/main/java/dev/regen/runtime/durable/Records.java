package dev.regen.runtime.durable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * Small files that are whole or absent: written beside their name, forced, renamed, and the
 * directory forced.
 *
 * <p>Names that begin with {@code .tmp-} are unfinished and belong to nobody after a crash.
 */
public final class Records {
  /** The first characters of a file that is still being written. */
  public static final String UNFINISHED = ".tmp-";

  private final Disk disk;

  public Records(Disk disk) {
    this.disk = disk;
  }

  /**
   * Stores {@code content} under {@code file}, in place of what was there.
   *
   * <p>Once this has returned the new content survives a power cut; a crash or an exception before
   * that leaves the old or the new one. The directory must be there.
   */
  public void replace(Path file, byte[] content) throws IOException {
    Path directory = directoryOf(file);
    Path unfinished = directory.resolve(UNFINISHED + UUID.randomUUID());
    try {
      disk.create(unfinished, ByteBuffer.wrap(content));
      disk.force(unfinished);
      disk.rename(unfinished, file);
    } catch (IOException e) {
      discard(unfinished, e);
      throw e;
    }
    disk.forceDirectory(directory);
  }

  /** Removes {@code file} for good, if it is there. */
  public void remove(Path file) throws IOException {
    disk.delete(file);
    disk.forceDirectory(directoryOf(file));
  }

  /**
   * Makes {@code directory}, and those above it that are missing, so that they last.
   *
   * <p>Its name is forced even if it was there before: whoever made it may have died in between.
   */
  public void makeDirectory(Path directory) throws IOException {
    List<Path> parents = new ArrayList<>();
    Path missing = directory;
    do {
      missing = directoryOf(missing);
      parents.add(missing);
    } while (disk.size(missing) < 0);
    disk.makeDirectories(directory);
    for (Path parent : parents.reversed()) {
      disk.forceDirectory(parent);
    }
  }

  /**
   * Removes what unfinished writes left in {@code directory}; nobody may be writing there.
   *
   * @return how many files
   */
  public int sweep(Path directory) throws IOException {
    int removed = 0;
    for (Path file : disk.list(directory)) {
      if (file.getFileName().toString().startsWith(UNFINISHED)) {
        disk.delete(file);
        removed++;
      }
    }
    return removed;
  }

  private void discard(Path unfinished, IOException cause) {
    try {
      disk.delete(unfinished);
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  private static Path directoryOf(Path file) {
    Path directory = file.getParent();
    if (directory == null) {
      throw new IllegalArgumentException(file + " has no directory above it");
    }
    return directory;
  }
}
