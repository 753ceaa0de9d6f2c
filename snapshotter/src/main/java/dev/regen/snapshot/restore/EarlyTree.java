package dev.regen.snapshot.restore;

import dev.regen.runtime.Threads;
import dev.regen.snapshot.Snapshot;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A tree that is made ready on a thread of its own while its chunks still arrive. It becomes a hot
 * tree when all of them are here and the snapshot is in its queue; before that nobody uses it. What
 * fails is left to whoever unpacks it later.
 */
public final class EarlyTree implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EarlyTree.class);

  private final HotTrees hotTrees;
  private final Snapshot snapshot;
  private final Path building;
  private final Thread thread;
  private volatile boolean ended;
  private volatile @Nullable Landing landing;

  /** Makes the tree in {@code building}, or as much of it as can be done before all is here. */
  interface Unpacking {
    Landing unpack(Path building, EarlyTree tree) throws IOException;
  }

  /** What is left to do when the snapshot is in its queue, until it has a hot tree. */
  interface Landing {
    void land(Path building) throws IOException;
  }

  EarlyTree(HotTrees hotTrees, Snapshot snapshot, Path building, Unpacking unpacking) {
    this.hotTrees = hotTrees;
    this.snapshot = snapshot;
    this.building = building;
    this.thread = Thread.ofPlatform().name("early-tree").daemon().start(() -> make(unpacking));
  }

  /**
   * The snapshot is in its queue: waits until the last of it is unpacked, and makes it a hot tree.
   */
  public void landed() {
    join();
    Landing last = landing;
    if (last == null) {
      return;
    }
    try {
      last.land(building);
    } catch (IOException | RuntimeException e) {
      // The snapshot is in its queue all the same.
      LOG.info("{} is unpacked again: {}", snapshot.words(), String.valueOf(e));
    }
  }

  /** Ends it; what was made of a tree that has not {@link #landed} is removed. */
  @Override
  public void close() {
    ended = true;
    join();
    hotTrees.remove(building);
  }

  /** Whether nobody wants it any more. */
  boolean ended() {
    return ended;
  }

  private void make(Unpacking unpacking) {
    try {
      // Whatever else ends this thread, an error of the virtual machine too: it does not land.
      landing = unpacking.unpack(building, this);
    } catch (IOException | RuntimeException e) {
      if (!(e instanceof CancellationException)) {
        LOG.info("{} is unpacked when it is here: {}", snapshot.words(), e.getMessage());
      }
    }
  }

  /** It ends soon once no chunk comes any more. */
  private void join() {
    Threads.awaitEnd(List.of(thread), () -> ended = true);
  }
}
