package dev.regen.snapshot.restore;

import dev.regen.runtime.Threads;
import dev.regen.snapshot.layer.PresentTree;
import dev.regen.snapshot.restore.HotTrees.HotTree;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A look at the hot tree that the tree of the next snapshot can be made of, on a thread of its own
 * while nothing is known of that snapshot yet. Changes nothing; what fails is left to whoever needs
 * the look.
 */
public final class EarlyLook implements AutoCloseable {
  /** At nothing. */
  public static final EarlyLook NOTHING = new EarlyLook();

  private static final Logger LOG = LoggerFactory.getLogger(EarlyLook.class);

  private final @Nullable Thread thread;
  private volatile boolean ended;
  private volatile @Nullable Seen seen;

  /** A tree, and what was seen of it. */
  record Seen(HotTree tree, PresentTree present) {}

  /** Looks; null where there is no tree. */
  interface Looking {
    @Nullable Seen look(BooleanSupplier ended) throws IOException;
  }

  private EarlyLook() {
    thread = null;
  }

  EarlyLook(Looking looking) {
    thread = Thread.ofPlatform().name("early-look").daemon().start(() -> look(looking));
  }

  /** What was seen of that tree, if nobody has used it since; waits for the end of the look. */
  @Nullable PresentTree at(HotTree tree) {
    join();
    Seen last = seen;
    return last != null && last.tree().equals(tree) ? last.present() : null;
  }

  /** Ends it, and waits for that. */
  @Override
  public void close() {
    ended = true;
    join();
  }

  private void look(Looking looking) {
    try {
      seen = looking.look(() -> ended);
    } catch (IOException | RuntimeException e) {
      if (!(e instanceof CancellationException)) {
        LOG.info("it is looked at again: {}", String.valueOf(e));
      }
    }
  }

  private void join() {
    if (thread != null) {
      Threads.awaitEnd(List.of(thread), () -> ended = true);
    }
  }
}
