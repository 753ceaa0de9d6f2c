package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;

/** Opens directories of a tree by paths of any length, never through a link or out of the tree. */
final class Beneath {
  private static final byte[] HERE = Fd.bytes(".");
  private static final int PATH_BYTES_AT_ONCE = 3_000;

  private Beneath() {}

  /**
   * Opens the directory with these names from {@code root} down, by as many names at once as one
   * call may have.
   *
   * @param flags for the last one, {@link Fd#DIRECTORY} among them
   * @throws dev.regen.runtime.os.ErrnoException {@code ELOOP} or {@code EXDEV} where a symbolic
   *     link is in the way, {@code ENOENT} or {@code ENOTDIR} where something else is
   */
  static Fd open(Fd root, List<byte[]> names, int flags) throws IOException {
    Fd at = root.openBeneath(HERE, names.isEmpty() ? flags : Fd.PATH | Fd.DIRECTORY, 0);
    int next = 0;
    while (next < names.size()) {
      ByteArrayOutputStream path = new ByteArrayOutputStream();
      do {
        path.writeBytes(names.get(next));
        path.write('/');
        next++;
      } while (next < names.size() && path.size() < PATH_BYTES_AT_ONCE);
      boolean last = next == names.size();
      try (Fd above = at) {
        at = above.openBeneath(path.toByteArray(), last ? flags : Fd.PATH | Fd.DIRECTORY, 0);
      }
    }
    return at;
  }
}
