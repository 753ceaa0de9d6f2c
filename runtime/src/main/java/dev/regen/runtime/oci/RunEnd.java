package dev.regen.runtime.oci;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.oci.Freeze.Circumstances;
import dev.regen.runtime.oci.Notices.Kind;
import dev.regen.runtime.oci.RunRecord.Placed;
import dev.regen.runtime.oci.RunRecord.State;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.LinkedTree;
import dev.regen.runtime.overlay.PlainRoot;
import dev.regen.runtime.overlay.Staging;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;

/** The end of a run: its processes are gone or about to be, the union is still mounted. */
final class RunEnd {
  /** The most a freeze may take in a hook; the agent goes on with what is left. */
  static final Duration FREEZE_LIMIT = Duration.ofSeconds(8);

  /** After a dead shim the engine gives the whole call five seconds. */
  private static final Duration FREEZE_LIMIT_FORCED = Duration.ofSeconds(2);

  private static final Duration KILL_LIMIT = Duration.ofSeconds(2);

  /** For the agent, which no engine waits for. */
  private static final Duration UNHURRIED = Duration.ofHours(1);

  private final Disk disk;
  private final RunRecords records;
  private final Spool spool;
  private final Freeze freeze;
  private final PutAway putAway;
  private final NextTrees nextTrees;
  private final Notices notices;
  private final InstantSource clock;

  RunEnd(
      Disk disk,
      RunRecords records,
      Spool spool,
      Freeze freeze,
      NextTrees nextTrees,
      Notices notices,
      InstantSource clock) {
    this.disk = disk;
    this.records = records;
    this.spool = spool;
    this.freeze = freeze;
    this.putAway = new PutAway(records);
    this.nextTrees = nextTrees;
    this.notices = notices;
    this.clock = clock;
  }

  /** Handles one {@code delete}; {@code lock} is the container's, held. */
  void end(RunRecord run, boolean force, Fd lock) throws IOException {
    switch (run.state()) {
      case ENDED -> {}
      case ENDING -> freeze.finish(run, FREEZE_LIMIT);
      case CREATED -> {
        if (records.startedAt(run.container()) == null) {
          cancelled(run, lock);
        } else {
          freezeNow(run, force, force ? FREEZE_LIMIT_FORCED : FREEZE_LIMIT);
        }
      }
    }
  }

  /** Whether {@link #recover} may have something to do for a run. */
  boolean isOpen(RunRecord run) throws IOException {
    return switch (run.state()) {
      case CREATED -> isGone(run) || hasSharedTree(run) || isPutAway(run);
      case ENDING -> true;
      case ENDED -> false;
    };
  }

  /** Whether the front has put the upper away, and nobody has gone on with the end. */
  boolean isPutAway(RunRecord run) throws IOException {
    return run.state() == State.CREATED && putAway.tree(run.container()) != null;
  }

  /** Where {@link #recover} works: the upper, or where the front has put it. */
  Path place(RunRecord run) throws IOException {
    Path away = putAway.name(run.container());
    return away == null ? run.union().upper() : away;
  }

  /** Whether the engine has removed the container; not so if only its store is not mounted here. */
  static boolean isGone(RunRecord run) throws IOException {
    Path upper = run.union().upper();
    return Fd.statIfThere(upper) == null && Staging.isSeen(upper);
  }

  /**
   * Goes on with a freeze that something stopped, and clears away runs whose container is gone.
   *
   * @return whether there is something new in the spool
   */
  boolean recover(RunRecord listed, Fd lock) throws IOException {
    RunRecord run = records.read(listed.container());
    if (run == null || run.state() == State.ENDED) {
      return false;
    }
    boolean gone = isGone(run);
    FrozenLayer layer = run.ending();
    if (layer != null && freeze.isLeft(run, layer)) {
      freeze.finish(run, UNHURRIED);
      return true;
    }
    if (isPutAway(run)) {
      if (Processes.of(run.runcRoot(), run.container()).alive()) {
        return false; // Its shim died, and the engine is about to end it.
      }
      freezeNow(run, false, UNHURRIED);
      return true;
    }
    if (gone && layer == null && records.startedAt(run.container()) == null) {
      cancelled(run, lock);
      return true;
    }
    if (gone) {
      lost(run);
    } else if (run.without() == null && hasSharedTree(run) && hasStarted(run)) {
      freeze.dropPlaced(run);
    }
    return false;
  }

  private boolean hasStarted(RunRecord run) throws IOException {
    return records.startedAt(run.container()) != null;
  }

  /** Whether a tree is still there whose files a root has too, as links that its user can count. */
  private static boolean hasSharedTree(RunRecord run) throws IOException {
    Placed placed = run.placed();
    return placed != null
        && run.union() instanceof PlainRoot
        && (Fd.statIfThere(placed.placing()) != null || Fd.statIfThere(placed.own()) != null);
  }

  /** The engine removed the container without an end, as it does after the host went down. */
  private void lost(RunRecord run) throws IOException {
    freeze.dropPlaced(run);
    records.remove(run.container());
    notices.tell(
        Kind.FAILED,
        run.queue(),
        "container "
            + run.name()
            + " was removed without an end; what it wrote since "
            + run.createdAt()
            + " is gone, the queue is as before");
  }

  private void freezeNow(RunRecord run, boolean force, Duration limit) throws IOException {
    Processes processes = Processes.of(run.runcRoot(), run.container());
    boolean shimDied = force && processes.alive();
    boolean outOfMemory = processes.outOfMemory();
    if (shimDied) {
      processes.kill(KILL_LIMIT);
    }
    Instant away = putAway.endedAt(run.container());
    Instant endedAt = away == null ? clock.instant() : away;
    Circumstances how =
        new Circumstances(endedAt.truncatedTo(ChronoUnit.MILLIS), shimDied, outOfMemory);
    try {
      freeze.begin(run, how, limit);
      notices.tell(
          Kind.ENDED, run.queue(), "container " + run.name() + " ended; its layer is set aside");
    } catch (LinkedTree.TooLong e) {
      notices.tell(Kind.ENDED, run.queue(), RuntimeExtension.why(e));
    }
  }

  /** The run was created and will not begin: nothing of it stays. */
  void cancelled(RunRecord run, Fd lock) throws IOException {
    neverBegan(run, lock);
    if (run.firstStart()) {
      records.remove(run.container());
    }
  }

  /** The run never began: its tree goes back to where it came from, and its record goes. */
  void neverBegan(RunRecord run, Fd lock) throws IOException {
    Placed placed = run.placed();
    if (placed != null && lock.number() >= 0) {
      putBack(run, placed);
    }
    if (run.firstStart()) {
      records.forget(run.container());
    } else {
      records.end(run);
    }
  }

  private void putBack(RunRecord run, Placed placed) throws IOException {
    TreePlacement placement = TreePlacement.of(disk, run);
    Path tree = placement.moveOut();
    if (tree != null && TreePlacement.giveBack(disk, run, tree) && placed.unarchived() != null) {
      spool.write(placed.unarchived());
    }
    if (placed.chosen() && placed.snapshot() != null) {
      nextTrees.returned(run.queue(), placed.snapshot());
    }
    notices.tell(
        Kind.PUT_BACK, run.queue(), "container " + run.name() + " did not begin; its state stays");
  }
}
