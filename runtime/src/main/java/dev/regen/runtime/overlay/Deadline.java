package dev.regen.runtime.overlay;

import dev.regen.runtime.overlay.LinkedTree.TooLong;
import java.nio.file.Path;
import java.time.Duration;

/** How long work on a tree may take. Looking at it is cheap. */
final class Deadline {
  private static final int LOOK_EVERY = 64;

  private final Path tree;
  private final long nanos;
  private int sinceLook;

  Deadline(Path tree, Duration limit) {
    this.tree = tree;
    this.nanos = System.nanoTime() + limit.toNanos();
  }

  /** For each step that costs little; not every one looks at the clock. */
  void pass() throws TooLong {
    if (++sinceLook % LOOK_EVERY == 0) {
      check();
    }
  }

  void check() throws TooLong {
    if (System.nanoTime() - nanos > 0) {
      throw new TooLong(tree);
    }
  }
}
