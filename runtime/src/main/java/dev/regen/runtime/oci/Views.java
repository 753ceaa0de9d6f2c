package dev.regen.runtime.oci;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.MountNamespace;
import dev.regen.runtime.os.MountNamespace.Work;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The mount namespaces from which this home is seen: the agent's own, and those of engines that
 * have mounts of their own. What belongs to such an engine is worked on where its mounts are.
 *
 * <p>A namespace counts only if {@code home} is the same directory there; so the root of a
 * container never passes for a view, whatever it holds.
 *
 * @param home {@code /var/lib/regen}
 */
public record Views(Path home) {

  /** Whether a namespace is a view of this home. */
  public boolean has(MountNamespace namespace) throws IOException {
    Stat here = Fd.statIfThere(home);
    Stat there = statIfThere(namespace.seen(home));
    return here != null
        && there != null
        && here.inode() == there.inode()
        && here.device() == there.device();
  }

  /**
   * Does {@code work} where {@code path} is: here, if it is here or nowhere, else in the view that
   * has it. Costs one look at each process of the host where the path is not here.
   */
  public <T> T where(Path path, Work<T> work) throws IOException {
    MountNamespace elsewhere = Fd.statIfThere(path) != null ? null : otherWith(path);
    return elsewhere == null ? work.call() : elsewhere.call(work);
  }

  private @Nullable MountNamespace otherWith(Path path) throws IOException {
    for (MountNamespace other : MountNamespace.others()) {
      if (has(other) && statIfThere(other.seen(path)) != null) {
        return other;
      }
    }
    return null;
  }

  /** A process that ends meanwhile shows nothing. */
  private static @Nullable Stat statIfThere(Path path) {
    try {
      return Fd.statIfThere(path);
    } catch (IOException e) {
      return null;
    }
  }
}
