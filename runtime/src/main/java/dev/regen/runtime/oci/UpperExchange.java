package dev.regen.runtime.oci;

import dev.regen.runtime.Why;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.overlay.LinkedTree;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.TreeRemoval;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;

/**
 * Puts a layer tree in the place of an upper that is not mounted, in one step.
 *
 * <p>Where no tree can be renamed to the upper (its layer is a mount of its own, or has a project
 * quota) the tree is copied beside it first, so that what the container will have is charged to its
 * quota; blocks are shared where the file system can. The layer then needs room for both.
 */
public final class UpperExchange {
  private static final String BESIDE = ".regen-upper";
  private static final Duration COPY_LIMIT = Duration.ofMinutes(10);

  private UpperExchange() {}

  /**
   * Does it.
   *
   * @param tree in the staging directory of the upper's store; nothing has this name afterwards
   * @return the old upper: in staging, where the sweep removes it too, or beside the upper
   * @throws IOException if the tree could not be brought there; the upper is as it was
   */
  public static Path exchange(Disk disk, Path tree, Path upper) throws IOException {
    Path trash = Staging.of(upper).trash();
    disk.forceFileSystem(tree);
    disk.rename(tree, trash);
    try {
      disk.exchange(trash, upper);
      return trash;
    } catch (ErrnoException e) {
      if (!e.is(ErrnoException.EXDEV)) {
        throw e;
      }
    }
    Path beside = copied(disk, trash, upper);
    disk.exchange(beside, upper);
    disk.forceDirectory(Objects.requireNonNull(upper.getParent(), "layer"));
    return beside;
  }

  /** Whether a tree is one beside an upper, rather than in staging. */
  static boolean isInLayer(Path old) {
    return old.endsWith(BESIDE);
  }

  /** Whether a tree beside the upper can change places with it: not if the upper is a mount. */
  static boolean canStandBeside(Path upper) throws IOException {
    Stat stat = Fd.stat(upper);
    Stat layer = Fd.stat(Objects.requireNonNull(upper.getParent(), "layer"));
    return stat.mountId() == layer.mountId() && stat.device() == layer.device();
  }

  /**
   * Copies a tree to where it can change places with the upper; forces nothing.
   *
   * @throws IOException if that fails; nothing is left then
   */
  static Path copyBeside(Path tree, Path upper, Duration limit) throws IOException {
    Path beside = upper.resolveSibling(BESIDE);
    TreeRemoval.remove(beside);
    try {
      LinkedTree.make(tree, beside, limit);
      return beside;
    } catch (IOException e) {
      TreeRemoval.remove(beside);
      throw e;
    }
  }

  private static Path copied(Disk disk, Path tree, Path upper) throws IOException {
    try {
      Path beside = copyBeside(tree, upper, COPY_LIMIT);
      disk.forceFileSystem(beside);
      return beside;
    } catch (IOException e) {
      throw new IOException(
          "its layer is a mount of its own or has a size limit, so the state is copied into it"
              + " beside the present one, and that failed: "
              + Why.of(e)
              + "; nothing is changed; 'docker rm' the container and restore again, which makes it"
              + " anew",
          e);
    } finally {
      TreeRemoval.remove(tree);
    }
  }
}
