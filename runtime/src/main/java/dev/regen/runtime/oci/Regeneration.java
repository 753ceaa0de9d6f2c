package dev.regen.runtime.oci;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.oci.NextTrees.Next;
import dev.regen.runtime.oci.Notices.Kind;
import dev.regen.runtime.oci.RunRecord.Placed;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.FuseUnion;
import dev.regen.runtime.overlay.Staging;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A container's first start: its union is rebuilt from the newest or the chosen state. */
final class Regeneration {
  private static final int SHORT_CHARACTERS = 12;

  /** The front waits two minutes for a start. */
  private static final Duration COPY_LIMIT = Duration.ofSeconds(90);

  private final Disk disk;
  private final RunRecords records;
  private final Spool spool;
  private final NextTrees nextTrees;
  private final Rebase rebase;
  private final StartChecks checks;
  private final Notices notices;

  Regeneration(
      Disk disk,
      RunRecords records,
      Spool spool,
      NextTrees nextTrees,
      Rebase rebase,
      StartChecks checks,
      Notices notices) {
    this.disk = disk;
    this.records = records;
    this.spool = spool;
    this.nextTrees = nextTrees;
    this.rebase = rebase;
    this.checks = checks;
    this.notices = notices;
  }

  /**
   * Puts the state of the queue, if it has one, in the place of the upper.
   *
   * @param unarchived the last run's layer, if no snapshot holds it yet; it is the state then
   */
  Answer begin(
      RunRecord run,
      Container container,
      Staging staging,
      @Nullable FrozenLayer unarchived,
      Caller caller)
      throws IOException {
    Placed placed;
    if (unarchived != null) {
      refuseOtherIds(run, unarchived);
      checks.queue(container.settings());
      placed = placed(run, staging, unarchived.tree(), null, false, unarchived);
    } else {
      Next next =
          nextTrees.next(
              container.settings(),
              run.facts().layer().imageId(),
              run.facts().layer().uidMap(),
              run.facts().layer().gidMap(),
              staging);
      switch (next) {
        case Next.Nothing nothing -> placed = null;
        case Next.Clean clean -> {
          placed = null;
          notices.tell(Kind.STARTED_CLEAN, run.queue(), clean.reason());
        }
        case Next.Refused refused -> {
          notices.tell(Kind.REFUSED, run.queue(), refused.reason());
          return new Answer.Refuse(refused.reason());
        }
        case Next.Tree tree -> {
          placed = placed(run, staging, tree.tree(), tree.snapshot(), tree.chosen(), null);
          if (tree.rebasedFrom() != null) {
            rebase.tell(run, tree.tree(), tree.rebasedFrom());
          }
        }
      }
    }
    if (!caller.waits()) {
      throw new IOException("unpacking its state took longer than the engine waited");
    }
    RunRecord placing = run.withPlaced(placed);
    records.write(placing.brokenOff());
    if (placed != null) {
      moveIn(placing, placed);
    }
    Placeholders.removeOfWrongType(container.bundle());
    // What mount points are missing is a question to the union as the container will see it.
    records.write(placing.withPlaceholders(Placeholders.find(container.bundle(), List.of())));
    return new Answer.Go();
  }

  private static void refuseOtherIds(RunRecord run, FrozenLayer unarchived) throws IOException {
    if (!run.facts().layer().uidMap().equals(unarchived.facts().uidMap())
        || !run.facts().layer().gidMap().equals(unarchived.facts().gidMap())) {
      throw new IOException(
          "the state of "
              + unarchived.endedAt()
              + " is not archived yet, and was written with another mapping of user ids; try again"
              + " when the agent has archived it");
    }
  }

  private void moveIn(RunRecord run, Placed placed) throws IOException {
    FrozenLayer unarchived = placed.unarchived();
    if (unarchived != null) {
      spool.remove(unarchived.job());
      forgetEnding(unarchived);
    }
    try {
      TreePlacement.of(disk, run).moveIn();
    } catch (IOException e) {
      TreePlacement.dropCopy(placed);
      records.write(run.withPlaced(null));
      if (unarchived != null) {
        spool.write(unarchived);
      }
      if (run.union() instanceof FuseUnion) {
        throw new StaleUnionException("its state could not be put in: " + RuntimeExtension.why(e));
      }
      throw new IOException("its tree could not be moved in: " + RuntimeExtension.why(e), e);
    }
    if (placed.snapshot() != null && placed.chosen()) {
      nextTrees.consumed(run.queue(), placed.snapshot());
    }
    if (unarchived != null) {
      notices.tell(
          Kind.MERGED,
          run.queue(),
          "the state of "
              + unarchived.endedAt()
              + " was not archived yet; it is merged into the next run and no snapshot of its own");
    } else {
      notices.tell(
          Kind.REGENERATED,
          run.queue(),
          "container "
              + run.name()
              + " starts from snapshot "
              + shortened(placed.snapshot())
              + how(run, placed));
    }
  }

  /** As a person addresses it. */
  private static String shortened(@Nullable String snapshot) {
    String id = String.valueOf(snapshot);
    return id.substring(0, Math.min(id.length(), SHORT_CHARACTERS));
  }

  private static String how(RunRecord run, Placed placed) throws IOException {
    if (placed.filled()) {
      return ", put in file by file: " + TreePlacement.whyFilled(run);
    }
    return UpperExchange.isInLayer(placed.origin())
        ? ", of which it has a copy: " + TreePlacement.whyFilled(run)
        : "";
  }

  /** The container whose end left this layer, if its record still tells of it. */
  private void forgetEnding(FrozenLayer unarchived) throws IOException {
    RunRecord other = records.read(unarchived.container());
    if (other != null && other.ending() != null) {
      records.remove(unarchived.container());
    }
  }

  private static Placed placed(
      RunRecord run,
      Staging staging,
      Path tree,
      @Nullable String snapshot,
      boolean chosen,
      @Nullable FrozenLayer unarchived)
      throws IOException {
    boolean outOfReach = TreePlacement.whyFilled(run) != null;
    if (outOfReach && unarchived == null && TreePlacement.canBeCopied(run)) {
      Path copy = UpperExchange.copyBeside(tree, run.union().upper(), COPY_LIMIT);
      long inode = Fd.stat(copy).inode();
      boolean laidOver = TreePlacement.isLaidOver(run);
      return new Placed(copy, copy, inode, snapshot, chosen, laidOver, false, null);
    }
    return new Placed(
        tree,
        staging.placing(run.container()),
        Fd.stat(tree).inode(),
        snapshot,
        chosen,
        TreePlacement.isLaidOver(run),
        outOfReach,
        unarchived);
  }
}
