package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the directories of a tree on a thread of its own, in the order in which a walk enters
 * them and a little ahead of it: so the calls to the system, and what is made of their answers,
 * take a core each.
 *
 * <p>What it could not look at, or does not because it lies {@value #LEVELS_MAX} levels deep, whose
 * descriptors it holds, the walk looks at itself. Names that were looked at and not taken yet are
 * {@value #NAMES_MAX} at most.
 */
final class WalkAhead implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WalkAhead.class);
  private static final int LEVELS_MAX = 64;
  private static final int NAMES_MAX = 20_000;
  private static final int DIRECTORY = Fd.RDONLY | Fd.DIRECTORY | Fd.NOFOLLOW | Fd.NOATIME;

  /** A directory that was looked at; null for both after the last one. */
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  private record Step(byte @Nullable [] path, @Nullable DirectoryLook look, int names) {}

  private final Paths passedOver;
  private final LinkedBlockingQueue<Step> steps = new LinkedBlockingQueue<>();
  private final Semaphore room = new Semaphore(NAMES_MAX);
  private final Thread thread;
  private @Nullable Step next;
  private volatile boolean closed;

  /**
   * Begins to look.
   *
   * @param root of the tree; stays the caller's, and must stay open until this is closed
   * @param passedOver paths that the walk does not enter
   */
  WalkAhead(Fd root, Paths passedOver) {
    this.passedOver = passedOver;
    this.thread = Thread.ofPlatform().name("regen-walk").daemon().start(() -> lookFrom(root));
  }

  /**
   * What the directory at {@code path} held, or null if nobody looked.
   *
   * @param path comes after those asked for before, in the order of a walk
   */
  @Nullable DirectoryLook at(byte[] path) {
    while (true) {
      Step step = next == null ? taken() : next;
      int order = step.path == null ? 1 : Paths.compare(step.path, path);
      next = order > 0 ? step : null;
      if (order >= 0) {
        return order == 0 ? step.look : null;
      }
    }
  }

  private Step taken() {
    try {
      Step step = steps.take();
      room.release(step.names);
      return step;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted");
    }
  }

  private void lookFrom(Fd root) {
    try {
      look(root, Paths.root(), 0);
    } catch (IOException | InterruptedException e) {
      LOG.debug("the walk goes on alone", e);
    } finally {
      steps.add(new Step(null, null, 0));
    }
  }

  private void look(Fd fd, byte[] path, int level) throws IOException, InterruptedException {
    DirectoryLook bare = DirectoryLook.at(fd);
    int names = Math.min(bare.names().size() + 1, NAMES_MAX);
    room.acquire(names);
    DirectoryLook look = bare.withStats(fd, path, passedOver);
    steps.add(new Step(path, look, names));
    for (int i = 0; i < look.names().size() && level + 1 < LEVELS_MAX && !closed; i++) {
      byte[] name = look.names().get(i).bytes();
      byte[] below = Paths.below(path, name);
      if (isDirectory(look, i) && !passedOver.contains(below)) {
        lookBelow(fd, name, below, level + 1);
      }
    }
  }

  private void lookBelow(Fd fd, byte[] name, byte[] path, int level) throws InterruptedException {
    try (Fd child = fd.openAt(name, DIRECTORY, 0)) {
      look(child, path, level);
    } catch (IOException e) {
      LOG.debug("{} is left to the walk", Paths.shown(path), e);
    }
  }

  private static boolean isDirectory(DirectoryLook look, int number) {
    Stat stat = look.stat(number);
    return stat == null ? look.names().get(number).type() == Stat.DIRECTORY : stat.isDirectory();
  }

  @Override
  public void close() {
    closed = true;
    room.release(NAMES_MAX);
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
