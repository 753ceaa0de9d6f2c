package dev.regen.snapshot.layer;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.snapshot.RegenException;
import java.io.IOException;

/** The refusal to archive a tree that somebody changes meanwhile: no mix of before and after. */
final class TreeChanged {
  private static final int ENXIO = 6;
  private static final int ESTALE = 116;

  private TreeChanged() {}

  interface Call<T> {
    T make() throws IOException;
  }

  static RegenException at(byte[] path, String what) {
    return new RegenException.Refused(
        "changed while it was archived: " + Paths.shown(path) + " " + what + "; try again");
  }

  /** Makes a call about {@code path}; says so where it fails because nothing is there any more. */
  static <T> T during(byte[] path, Call<T> call) throws IOException {
    try {
      return call.make();
    } catch (ErrnoException e) {
      switch (e.errno()) {
        case ErrnoException.ENOENT, ErrnoException.ENOTDIR, ErrnoException.ELOOP, ENXIO, ESTALE -> {
          RegenException changed = at(path, "has vanished or is something else now");
          changed.initCause(e);
          throw changed;
        }
        default ->
            throw new IOException("cannot read " + Paths.shown(path) + ": " + e.getMessage(), e);
      }
    }
  }
}
