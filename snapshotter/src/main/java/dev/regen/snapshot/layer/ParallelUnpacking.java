package dev.regen.snapshot.layer;

import dev.regen.runtime.Threads;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.os.Umask;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.chunk.ChunkReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Unpacks an archive into a new directory with several threads, each of them one {@link Part} at a
 * time, in the archive's order. The calling thread waits, tells progress and hears of cancellation.
 *
 * <p>What is in memory: a chunk for each thread (five for one that unpacks a large file), the
 * entries of the parts that are being unpacked, and what parts leave behind that are done before
 * one that began earlier, at most {@value #AHEAD_MAX} of them.
 */
final class ParallelUnpacking {
  private static final int AHEAD_MAX = 256;
  private static final long LOOK_MILLIS = 50;
  private static final int WHILE_OPEN = 0700;
  private static final byte[] HERE = Fd.bytes(".");
  private static final byte[] ACL_DEFAULT = Fd.bytes(AllowedXattrs.ACL_DEFAULT);

  private final Parts parts;
  private final Making making;
  private final Seams seams;

  // Guarded by this object's lock.
  private final Map<Integer, Seams.Left> waiting = new HashMap<>();
  private int begun;
  private int passed;
  private int working;
  private boolean allBegun;
  private @Nullable Throwable failure;
  private volatile boolean stopped;

  /**
   * @param root a new, empty directory, which stays the caller's to close
   * @param over the tree whose place the new one is to take; its files are taken where they can be
   * @param present that tree, open; stays the caller's to close
   * @param way how its files are taken
   * @param same directories of that tree which are not made, for they are to be moved
   */
  ParallelUnpacking(
      ChunkReader reader,
      Archive archive,
      Fd root,
      HostIds ids,
      @Nullable PresentTree over,
      @Nullable Fd present,
      TakeOver.Way way,
      SameDirectories same)
      throws IOException {
    this.parts = new Parts(archive, EntryIndex.open(reader, archive));
    MemberAttributes attributes = new MemberAttributes(ids, fresh(root));
    this.making =
        new Making(
            reader,
            archive.chunks(),
            root,
            ids,
            attributes,
            present,
            way,
            over == null ? Set.of() : over.groups(),
            same,
            this::checkStopped,
            new AtomicLong(),
            new AtomicLong());
    this.seams = new Seams(root, attributes);
  }

  /**
   * Makes the tree; it is half made after an exception.
   *
   * @throws CancellationException if {@code watch} says so, or this thread is interrupted
   */
  void run(int threads, Watch watch) throws IOException {
    List<Thread> all = new ArrayList<>();
    try {
      working = threads;
      for (int i = 0; i < threads; i++) {
        all.add(Thread.ofPlatform().name("regen-restore-" + i).daemon().start(this::work));
      }
      await(watch);
    } finally {
      stopped = true;
      Threads.awaitEnd(all);
    }
    seams.finish();
    watch.at(making.entries().get(), making.tarBytes().get());
    watch.done();
  }

  /** What everything made below {@code root} has at first; null if it inherits from directories. */
  private static MemberAttributes.@Nullable Fresh fresh(Fd root) throws IOException {
    Stat stat = root.stat();
    boolean inherits = stat.permissions() != WHILE_OPEN || root.xattrAt(HERE, ACL_DEFAULT) != null;
    return inherits ? null : new MemberAttributes.Fresh(stat.uid(), stat.gid(), Umask.current());
  }

  private synchronized void await(Watch watch) throws IOException {
    while (working > 0 && failure == null) {
      watch.at(making.entries().get(), making.tarBytes().get());
      pause();
    }
    switch (failure) {
      case null -> {}
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case Throwable e -> throw new IllegalStateException(e);
    }
  }

  private void work() {
    try (PartUnpacking unpacking = new PartUnpacking(making)) {
      for (Part part = next(); part != null; part = next()) {
        Seams.Left left = unpacking.unpack(part);
        pass(part.number(), left);
      }
    } catch (Throwable e) {
      // Whatever it is, the thread that waits for this one has to hear of it.
      fail(e);
    } finally {
      ended();
    }
  }

  /** Null when there is nothing more to do. */
  private synchronized @Nullable Part next() throws IOException {
    while (!allBegun && begun - passed >= AHEAD_MAX) {
      checkStopped();
      pause();
    }
    checkStopped();
    Part part = allBegun ? null : parts.next();
    allBegun = part == null;
    begun++;
    return part;
  }

  private synchronized void pass(int number, Seams.Left left) throws IOException {
    waiting.put(number, left);
    for (Seams.Left next = waiting.remove(passed); next != null; next = waiting.remove(passed)) {
      seams.pass(next);
      passed++;
    }
    notifyAll();
  }

  private synchronized void fail(Throwable e) {
    if (failure == null) {
      failure = e;
    }
    stopped = true;
    notifyAll();
  }

  private synchronized void ended() {
    working--;
    notifyAll();
  }

  private void checkStopped() {
    if (stopped) {
      throw new CancellationException("stopped");
    }
  }

  @SuppressWarnings("WaitNotInLoop") // both callers look again in a loop
  private synchronized void pause() {
    try {
      wait(LOOK_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted");
    }
  }
}
