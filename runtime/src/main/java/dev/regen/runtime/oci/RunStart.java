package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.oci.NextTrees.Next;
import dev.regen.runtime.oci.Notices.Kind;
import dev.regen.runtime.oci.RunRecord.Placed;
import dev.regen.runtime.oci.RunRecord.State;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.LaidOver;
import dev.regen.runtime.overlay.LinkedTree;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.UnionMount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The beginning of a run: the union is mounted, nothing runs yet. */
final class RunStart {
  private static final Duration JUST_CREATED = Duration.ofSeconds(10);

  private final Disk disk;
  private final RunRecords records;
  private final Spool spool;
  private final Freeze freeze;
  private final RunEnd ends;
  private final Stores stores;
  private final NextTrees nextTrees;
  private final LastLayers lastLayers;
  private final Notices notices;
  private final InstantSource clock;

  RunStart(
      Disk disk,
      RunRecords records,
      Spool spool,
      Freeze freeze,
      RunEnd ends,
      Stores stores,
      NextTrees nextTrees,
      LastLayers lastLayers,
      Notices notices,
      InstantSource clock) {
    this.disk = disk;
    this.records = records;
    this.spool = spool;
    this.freeze = freeze;
    this.ends = ends;
    this.stores = stores;
    this.nextTrees = nextTrees;
    this.lastLayers = lastLayers;
    this.notices = notices;
    this.clock = clock;
  }

  /** Prepares a run; {@code lock} is the container's, held. */
  Answer begin(Container container, HookCall call, Caller caller, Fd lock) throws IOException {
    ContainerSettings settings = container.settings();
    RunRecord before = settle(call.container(), lock);
    UnionMount union = UnionMount.at(container.bundle().root());
    if (union == null) {
      throw new IOException(
          container.bundle().root() + " is no overlay, which is all that Regen keeps");
    }
    Staging staging = Staging.of(union.upper());
    stores.remember(staging);
    checkSpool(settings);
    warnOfVolumes(container);
    boolean first = before == null && !container.engine().startedBefore();
    RunRecord run = record(container, call, union, first, before);
    RunRecord other = claim(run);
    if (other != null) {
      return refuse(
          settings.queue(),
          "queue "
              + settings.queue()
              + " is in use by the running container "
              + other.name()
              + "; stop it, or give this one another label regen.queue");
    }
    FrozenLayer unarchived = lastLayers.claim(settings.queue(), call.container());
    if (!first) {
      Placeholders.removeOfWrongType(container.bundle());
      return new Answer.Go();
    }
    return regenerate(run, container, staging, unarchived, caller);
  }

  private Answer regenerate(
      RunRecord run,
      Container container,
      Staging staging,
      @Nullable FrozenLayer unarchived,
      Caller caller)
      throws IOException {
    Placed placed;
    if (unarchived != null) {
      checkQueue(container.settings());
      placed = placed(run, staging, unarchived.tree(), null, false, unarchived);
    } else {
      Next next =
          nextTrees.next(container.settings(), run.imageId(), run.uidMap(), run.gidMap(), staging);
      switch (next) {
        case Next.Nothing nothing -> placed = null;
        case Next.Clean clean -> {
          placed = null;
          notices.tell(Kind.STARTED_CLEAN, run.queue(), clean.reason());
        }
        case Next.Refused refused -> {
          return refuse(run.queue(), refused.reason());
        }
        case Next.Tree tree ->
            placed = placed(run, staging, tree.tree(), tree.snapshot(), tree.chosen(), null);
      }
    }
    if (!caller.waits()) {
      throw new IOException("unpacking its state took longer than the engine waited");
    }
    RunRecord placing = run.withPlaced(placed);
    records.write(placing);
    if (placed != null) {
      moveIn(placing, placed);
    }
    Placeholders.removeOfWrongType(container.bundle());
    // What mount points are missing is a question to the union as the container will see it.
    records.write(withPlaceholders(placing, Placeholders.find(container.bundle(), List.of())));
    return new Answer.Go();
  }

  private void moveIn(RunRecord run, Placed placed) throws IOException {
    FrozenLayer unarchived = placed.unarchived();
    if (unarchived != null) {
      spool.remove(unarchived.job());
      forgetEnding(unarchived);
    }
    try {
      new Placement(disk, run).moveIn();
    } catch (IOException e) {
      records.write(run.withPlaced(null));
      if (unarchived != null) {
        spool.write(unarchived);
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
          "container " + run.name() + " starts from snapshot " + placed.snapshot());
    }
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
    return new Placed(
        tree,
        staging.placing(run.container()),
        Fd.stat(tree).inode(),
        snapshot,
        chosen,
        !LaidOver.isEmpty(run.union().upper()),
        unarchived);
  }

  /** Brings the container's last run to an end of one kind or the other. */
  private @Nullable RunRecord settle(ContainerId id, Fd lock) throws IOException {
    RunRecord before = records.read(id);
    if (before == null) {
      return null;
    }
    if (before.state() == State.ENDING) {
      return settleFreeze(before);
    }
    if (before.state() == State.CREATED && records.startedAt(id) == null) {
      ends.neverBegan(before, lock);
      return records.read(id);
    }
    if (before.state() == State.CREATED) {
      notices.tell(
          Kind.MERGED,
          before.queue(),
          "the last run of "
              + before.name()
              + " has no end, the host or the engine crashed; its state goes on in this run");
    }
    return before;
  }

  private @Nullable RunRecord settleFreeze(RunRecord before) throws IOException {
    try {
      freeze.finish(before, LastLayers.ARCHIVE_LIMIT);
    } catch (LinkedTree.TooLong e) {
      lastLayers.merge(Objects.requireNonNull(before.ending(), "ending"));
      records.end(before);
    }
    return records.read(before.container());
  }

  /**
   * Makes the queue this run's, by writing its record while no other start looks.
   *
   * @return the run whose queue it is, null if it is this one's now
   */
  private @Nullable RunRecord claim(RunRecord run) throws IOException {
    try (Fd queueLock = records.lock(run.queue())) {
      RunRecord other = runningUnder(run.queue(), run.container());
      if (other == null && queueLock.number() >= 0) {
        records.begin(run);
      }
      return other;
    }
  }

  private @Nullable RunRecord runningUnder(QueueName queue, ContainerId self) throws IOException {
    String boot = bootId();
    for (RunRecord run : records.list()) {
      boolean mayRun =
          run.queue().equals(queue)
              && !run.container().equals(self)
              && run.state() == State.CREATED
              && run.bootId().equals(boot);
      if (mayRun && isInUse(run)) {
        return run;
      }
    }
    return null;
  }

  /** A start may take its time before there is a process; its hook holds the lock meanwhile. */
  private boolean isInUse(RunRecord run) throws IOException {
    return isNew(run)
        || Processes.of(run.runcRoot(), run.container()).alive()
        || records.isLocked(run.container());
  }

  private boolean isNew(RunRecord run) throws IOException {
    return records.startedAt(run.container()) == null
        && Duration.between(run.createdAt(), clock.instant()).compareTo(JUST_CREATED) < 0;
  }

  private RunRecord record(
      Container container,
      HookCall call,
      UnionMount union,
      boolean first,
      @Nullable RunRecord before)
      throws IOException {
    List<String> known = before == null ? List.of() : before.placeholders();
    return new RunRecord(
        call.container(),
        container.name(),
        container.settings().queue(),
        container.settings().keep(),
        State.CREATED,
        bootId(),
        clock.instant().truncatedTo(java.time.temporal.ChronoUnit.MILLIS),
        call.bundle(),
        call.runcRoot(),
        union,
        container.engine().autoRemove(),
        first,
        null,
        null,
        first ? List.of() : Placeholders.find(container.bundle(), known),
        container.settings().excludes(),
        container.bundle().uidMap(),
        container.bundle().gidMap(),
        container.engine().imageId(),
        container.engine().imageName(),
        container.engine().notHeld(),
        container.engine().spec());
  }

  private static RunRecord withPlaceholders(RunRecord run, List<String> placeholders) {
    return new RunRecord(
        run.container(),
        run.name(),
        run.queue(),
        run.keep(),
        run.state(),
        run.bootId(),
        run.createdAt(),
        run.bundle(),
        run.runcRoot(),
        run.union(),
        run.autoRemove(),
        run.firstStart(),
        run.placed(),
        run.ending(),
        placeholders,
        run.excludes(),
        run.uidMap(),
        run.gidMap(),
        run.imageId(),
        run.imageName(),
        run.notHeld(),
        run.spec());
  }

  /** Says at the start already that the end will not be kept in order. */
  private void checkSpool(ContainerSettings settings) throws IOException {
    try {
      spool.probe();
    } catch (IOException e) {
      String what = "the spool takes no jobs: " + RuntimeExtension.why(e);
      if (settings.onFailure() == ContainerSettings.OnFailure.REFUSE) {
        throw new IOException(what, e);
      }
      notices.tell(Kind.FAILED, settings.queue(), what + "; layers wait in staging until it does");
    }
  }

  /**
   * A layer that waits because its queue is damaged must not hide that from who asked to be told.
   */
  private void checkQueue(ContainerSettings settings) throws IOException {
    try {
      nextTrees.check(settings.queue());
    } catch (IOException e) {
      if (settings.onFailure() == ContainerSettings.OnFailure.REFUSE) {
        throw e;
      }
      notices.tell(Kind.FAILED, settings.queue(), RuntimeExtension.why(e));
    }
  }

  private void warnOfVolumes(Container container) {
    if (container.engine().autoRemove() && !container.engine().anonymousVolumes().isEmpty()) {
      notices.tell(
          Kind.NOT_HELD,
          container.settings().queue(),
          "container "
              + container.name()
              + " has anonymous volumes at "
              + String.join(", ", container.engine().anonymousVolumes())
              + ": --rm throws them away and no snapshot holds them; name them to keep them");
    }
  }

  private Answer refuse(QueueName queue, String message) {
    notices.tell(Kind.REFUSED, queue, message);
    return new Answer.Refuse(message);
  }

  private static String bootId() throws IOException {
    return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
  }
}
