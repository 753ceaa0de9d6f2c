package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.oci.FrozenLayer.Kind;
import dev.regen.runtime.oci.RunRecord.Placed;
import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.overlay.EmptyTwin;
import dev.regen.runtime.overlay.FuseMarks;
import dev.regen.runtime.overlay.FuseUnion;
import dev.regen.runtime.overlay.LaidOver;
import dev.regen.runtime.overlay.LinkedTree;
import dev.regen.runtime.overlay.PlainRoot;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.TreeRemoval;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Sets a container's writable layer aside at the end of a run.
 *
 * <p>The record with the intent is on the disk first; then the upper of a {@code --rm} container
 * changes places with an empty twin in one step, and that of any other container is linked; then
 * the spool has a job, and the record says that the run is over. {@link #finish} goes on from
 * wherever a crash left this.
 *
 * <p>A layer is whole or not kept: what the engine had begun to remove before it changed places is
 * no state of a container.
 */
final class Freeze {
  private final Disk disk;
  private final RunRecords records;
  private final Spool spool;
  private final KnownFiles known;
  private final EngineRemoval removal;
  private final PutAway putAway;

  /** How far the engine is in removing a container. */
  @FunctionalInterface
  interface EngineRemoval {
    /** Whether it may have removed files of the container's layer already. */
    boolean begunOn(ContainerId container) throws IOException;
  }

  Freeze(Disk disk, RunRecords records, Spool spool, KnownFiles known, EngineRemoval removal) {
    this.disk = disk;
    this.records = records;
    this.spool = spool;
    this.known = known;
    this.removal = removal;
    this.putAway = new PutAway(records);
  }

  /** What an end looked like from the runtime's side. */
  record Circumstances(Instant endedAt, boolean shimDied, boolean outOfMemory) {}

  /**
   * Freezes the upper of {@code run}.
   *
   * @param limit the most that linking may take
   * @throws LinkedTree.TooLong if it takes longer; {@link #finish} goes on
   */
  void begin(RunRecord run, Circumstances how, Duration limit) throws IOException {
    Kind kind = run.autoRemove() ? Kind.EXCHANGED : Kind.LINKED;
    RunRecord intent = run.ending(describe(run, how, kind));
    records.write(intent);
    finish(intent, limit);
  }

  /** Whether what {@link #finish} needs is still there. */
  boolean isLeft(RunRecord run, FrozenLayer layer) throws IOException {
    return Fd.statIfThere(run.union().upper()) != null
        || putAway.tree(run.container()) != null
        || Fd.statIfThere(layer.tree()) != null
        || Fd.statIfThere(listed(layer).tree()) != null
        || Fd.statIfThere(PlainFreeze.aside(layer)) != null;
  }

  /** Links the upper of a container that stays, at a time when its run is over already. */
  FrozenLayer again(RunRecord run, Circumstances how, Duration limit) throws IOException {
    FrozenLayer layer = describe(run, how, Kind.LINKED);
    FrozenLayer linked = link(run, layer, limit);
    leaveOut(run, linked, limit);
    spool.write(linked);
    return linked;
  }

  private static FrozenLayer listed(FrozenLayer layer) {
    return layer.listed(Staging.around(layer.tree()).listed(layer.job()));
  }

  /** Says what a freeze of this kind makes, and makes nothing. */
  FrozenLayer describe(RunRecord run, Circumstances how, Kind kind) throws IOException {
    Path away = putAway.tree(run.container());
    Path upper = away == null ? run.union().upper() : away;
    Staging staging = away == null ? Staging.of(upper) : Staging.around(away);
    Path tree =
        kind == Kind.IN_PLACE ? upper : staging.frozen(run.queue(), how.endedAt(), run.container());
    return new FrozenLayer(
        Staging.jobName(run.queue(), how.endedAt(), run.container()),
        run.facts().layer().withNotHeld(notHeld(run)),
        tree,
        kind,
        Fd.stat(upper).inode(),
        new SeenRun(
            records.startedAt(run.container()),
            how.endedAt(),
            firstSignal(run),
            how.outOfMemory(),
            how.shimDied(),
            run.without()),
        run.placeholders());
  }

  private static List<String> notHeld(RunRecord run) {
    List<String> all = new ArrayList<>(run.facts().layer().notHeld());
    if (run.without() != null) {
      all.add("what its queue had kept: the run began without it, because " + run.without());
    }
    return all;
  }

  /** Does what is left of a freeze whose intent is recorded. */
  void finish(RunRecord run, Duration limit) throws IOException {
    FrozenLayer layer = Objects.requireNonNull(run.ending(), "no intent to freeze");
    if (run.union() instanceof PlainRoot root) {
      layer = new PlainFreeze(disk, records).finish(run, root, limit);
    } else if (layer.kind() == Kind.EXCHANGED) {
      layer = exchange(run, layer, limit);
    } else {
      layer = link(run, layer, limit);
    }
    leaveOut(run, layer, limit);
    spool.write(layer);
    dropPlaced(run);
    if (run.autoRemove()) {
      records.remove(run.container());
    } else {
      records.end(run);
    }
  }

  private FrozenLayer exchange(RunRecord run, FrozenLayer layer, Duration limit)
      throws IOException {
    takePutAway(layer);
    Stat there = Fd.statIfThere(layer.tree());
    if (there != null && there.inode() == layer.upperInode()) {
      return layer;
    }
    if (there != null && !LaidOver.isEmpty(layer.tree())) {
      // A twin is empty: this is a copy, and a crash came before its inode was on record.
      return copied(run, layer);
    }
    if (there == null) {
      EmptyTwin.make(run.union().upper(), layer.tree());
    }
    try {
      disk.exchange(run.union().upper(), layer.tree());
      takePutAway(layer); // The front may have lost its patience a moment ago.
      refusePart(run, layer);
      return layer;
    } catch (ErrnoException e) {
      if (!e.is(ErrnoException.EXDEV)) {
        throw e;
      }
      TreeRemoval.remove(layer.tree());
      return copy(run, layer, limit);
    }
  }

  /** Gives the upper its name that the front has put away, if it is that and not its twin. */
  private void takePutAway(FrozenLayer layer) throws IOException {
    Path away = putAway.tree(layer.container());
    if (away == null) {
      return;
    }
    if (Fd.stat(away).inode() == layer.upperInode()) {
      disk.delete(layer.tree()); // A twin, if it is there.
      disk.rename(away, layer.tree());
    } else {
      disk.delete(away);
    }
  }

  /** While the union is mounted, nobody removes its upper. */
  private void refusePart(RunRecord run, FrozenLayer layer) throws IOException {
    if (!run.union().isMounted() && removal.begunOn(run.container())) {
      records.remove(run.container());
      TreeRemoval.remove(layer.tree());
      throw new IOException(
          "what container "
              + run.name()
              + " wrote is not kept: its engine was removing it when nothing had set it aside yet;"
              + " the queue is as before");
    }
  }

  /**
   * For an upper that cannot be renamed: a mount of its own, or under a project quota. The engine
   * removes it as soon as it has unmounted the union, so that only a copy made before is whole.
   */
  private FrozenLayer copy(RunRecord run, FrozenLayer layer, Duration limit) throws IOException {
    Path linking = layer.tree().resolveSibling(Staging.LINKING + layer.job());
    TreeRemoval.remove(linking);
    String why = "the engine removes it meanwhile";
    try {
      if (run.union().isMounted()) {
        LinkedTree.make(run.union().upper(), linking, limit);
        if (run.union().isMounted()) {
          // The engine removes what was copied: what the container had forced must last in the
          // copy.
          disk.forceFileSystem(linking);
          disk.rename(linking, layer.tree());
          disk.forceDirectory(Staging.around(layer.tree()).directory());
          return copied(run, layer);
        }
      }
    } catch (LinkedTree.TooLong e) {
      why = "that takes longer than " + limit.toSeconds() + " s";
    }
    TreeRemoval.remove(linking);
    records.remove(run.container());
    throw new IOException(
        "what container "
            + run.name()
            + " wrote is not kept: its layer cannot be renamed, only copied, and "
            + why);
  }

  private FrozenLayer copied(RunRecord run, FrozenLayer layer) throws IOException {
    FrozenLayer made = layer.at(layer.tree(), Fd.stat(layer.tree()).inode());
    records.write(run.ending(made));
    return made;
  }

  /** Sets aside all files, or those that no snapshot holds; says which of it was done. */
  private FrozenLayer link(RunRecord run, FrozenLayer layer, Duration limit) throws IOException {
    if (Fd.statIfThere(layer.tree()) != null) {
      return layer;
    }
    FrozenLayer listed = listed(layer);
    if (Fd.statIfThere(listed.tree()) != null) {
      return listed;
    }
    Path upper = run.union().upper();
    Path linking = layer.tree().resolveSibling(Staging.LINKING + layer.job());
    TreeRemoval.remove(linking);
    if (run.union() instanceof PlainRoot root) {
      root.diff(linking, limit);
    } else {
      long begunNanos = System.nanoTime();
      if (!(run.union() instanceof FuseUnion)
          && Placeholders.areLeftOut(run.placeholders(), run.union().lowers())
          && known.freeze(listed, upper, linking, limit.dividedBy(2))) {
        disk.rename(linking, listed.tree());
        return listed;
      }
      TreeRemoval.remove(linking);
      LinkedTree.make(upper, linking, limit.minusNanos(System.nanoTime() - begunNanos));
    }
    disk.rename(linking, layer.tree());
    return layer;
  }

  /** Removes what is no work of the container's from its layer tree. */
  private static void leaveOut(RunRecord run, FrozenLayer layer, Duration limit)
      throws IOException {
    if (run.union() instanceof FuseUnion union) {
      FuseMarks.remove(layer.tree(), union.lowers(), limit);
    }
    if (layer.kind() != Kind.LISTED) {
      Placeholders.remove(layer.tree(), run.placeholders(), run.union().lowers());
    }
  }

  /**
   * Removes the upper that the container had before a tree was moved in; its files were laid over
   * that. Where the run began without the tree, and no snapshot holds that, it is for the spool.
   */
  void dropPlaced(RunRecord run) throws IOException {
    Placed placed = run.placed();
    if (placed == null) {
      return;
    }
    FrozenLayer unarchived = placed.unarchived();
    if (unarchived != null && run.without() != null) {
      if (placed.isAt(placed.placing()) && Fd.statIfThere(placed.origin()) == null) {
        disk.rename(placed.placing(), placed.origin());
      }
      if (placed.isAt(placed.origin())) {
        spool.write(unarchived);
      }
    }
    placed.drop();
  }

  /** The first signal decides: {@code docker stop} sends TERM, and KILL to what does not listen. */
  private int firstSignal(RunRecord run) throws IOException {
    List<String> signals = records.signals(run.container());
    if (signals.isEmpty()) {
      return 0;
    }
    return SignalNames.number(signals.get(0));
  }
}
