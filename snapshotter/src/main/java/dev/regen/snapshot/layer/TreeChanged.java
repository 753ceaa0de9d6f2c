package dev.regen.snapshot.layer;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The refusal to archive a tree that somebody changes meanwhile: no mix of before and after. */
final class TreeChanged {
  static final String GONE = "has vanished or is something else now";
  private static final int ENXIO = 6;
  private static final int ESTALE = 116;

  private TreeChanged() {}

  interface Call<T> {
    T make() throws IOException;
  }

  /** Marks such a refusal, for readers who can go on without what has changed. */
  private static final class Mark extends IOException {
    private static final long serialVersionUID = 1;

    private Mark(@Nullable Throwable cause) {
      super("the tree is in use", cause);
    }
  }

  static RegenException at(byte[] path, String what) {
    return at(path, what, null);
  }

  /** Whether {@code failure} came from here. */
  static boolean isBehind(IOException failure) {
    return failure.getCause() instanceof Mark;
  }

  private static RegenException at(byte[] path, String what, @Nullable Throwable cause) {
    RegenException changed =
        new RegenException.Refused(
            "changed while it was archived: " + Paths.shown(path) + " " + what + "; try again");
    changed.initCause(new Mark(cause));
    return changed;
  }

  /** Makes a call about {@code path}; says so where it fails because nothing is there any more. */
  static <T> T during(byte[] path, Call<T> call) throws IOException {
    try {
      return call.make();
    } catch (ErrnoException e) {
      switch (e.errno()) {
        case ErrnoException.ENOENT, ErrnoException.ENOTDIR, ErrnoException.ELOOP, ENXIO, ESTALE ->
            throw at(path, GONE, e);
        default ->
            throw new IOException("cannot read " + Paths.shown(path) + ": " + e.getMessage(), e);
      }
    }
  }
}
