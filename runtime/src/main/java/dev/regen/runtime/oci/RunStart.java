package dev.regen.runtime.oci;

import dev.regen.runtime.oci.Notices.Kind;
import dev.regen.runtime.oci.RunRecord.State;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.ContainerRoot;
import dev.regen.runtime.overlay.FuseUnion;
import dev.regen.runtime.overlay.LaidOver;
import dev.regen.runtime.overlay.PlainRoot;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.UnionMount;
import java.io.IOException;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The beginning of a run: the union is mounted, nothing runs yet. */
final class RunStart {
  private final ContainerRoots roots;
  private final RunRecords records;
  private final LastRun lastRun;
  private final Stores stores;
  private final SeenImages images;
  private final StartChecks checks;
  private final QueueOwners owners;
  private final LastLayers lastLayers;
  private final Regeneration regeneration;
  private final UpperReplacement exchange;
  private final Notices notices;
  private final InstantSource clock;

  RunStart(
      ContainerRoots roots,
      RunRecords records,
      LastRun lastRun,
      Stores stores,
      SeenImages images,
      StartChecks checks,
      QueueOwners owners,
      LastLayers lastLayers,
      Regeneration regeneration,
      UpperReplacement exchange,
      Notices notices,
      InstantSource clock) {
    this.roots = roots;
    this.records = records;
    this.lastRun = lastRun;
    this.stores = stores;
    this.images = images;
    this.checks = checks;
    this.owners = owners;
    this.lastLayers = lastLayers;
    this.regeneration = regeneration;
    this.exchange = exchange;
    this.notices = notices;
    this.clock = clock;
  }

  /** Prepares a run; {@code lock} is the container's, held. */
  Answer begin(Container container, HookCall call, Caller caller, Fd lock) throws IOException {
    ContainerSettings settings = container.settings();
    boolean settled = exchange.settle(call.container());
    settled |= lastRun.isFilledInPart(call.container());
    RunRecord before = lastRun.settle(call.container(), lock);
    ContainerRoot union = roots.of(call.container(), container.bundle().root(), before);
    if (settled) {
      mountAgain(union, "it was put back");
    }
    if (before != null && isAnothers(before, container, union)) {
      before = null;
    }
    Staging staging = Staging.of(union.upper());
    stores.remember(staging);
    checks.spool(settings);
    checks.volumes(container);
    boolean first = before == null && !container.engine().startedBefore();
    if (before == null && !first && !(union instanceof PlainRoot)) {
      first = showsItsLayerAgain(container, union);
    }
    if (first) {
      checks.labels(container);
    }
    RunRecord run = record(container, call, union, first, before);
    String anothers = owners.claim(first ? run.brokenOff() : run);
    if (anothers != null) {
      notices.tell(Kind.REFUSED, settings.queue(), anothers);
      return new Answer.Refuse(anothers);
    }
    rememberImage(run);
    prepareEnd(run);
    if (!first) {
      lastLayers.claim(settings.queue(), call.container());
      Placeholders.removeOfWrongType(container.bundle());
      return new Answer.Go();
    }
    return regenerate(run, container, staging, caller);
  }

  /**
   * Whether a record is of an earlier container with this id: where the engine is not Docker people
   * choose ids, and the layer tells.
   */
  private static boolean isAnothers(RunRecord before, Container container, ContainerRoot union) {
    return container.engine().name().isEmpty() && !before.union().upper().equals(union.upper());
  }

  /** If this fails the run may begin all the same; what it leaves then is not what was kept. */
  private Answer regenerate(RunRecord run, Container container, Staging staging, Caller caller)
      throws IOException {
    try {
      FrozenLayer unarchived = lastLayers.claim(run.queue(), run.container());
      return regeneration.begin(run, container, staging, unarchived, caller);
    } catch (IOException e) {
      RunRecord now = records.read(run.container());
      if (now != null) {
        records.write(now.begunWithout(RuntimeExtension.why(e)));
      }
      throw e;
    }
  }

  /**
   * {@code docker restart} of a container with {@code --rm} starts the same container again, whose
   * layer went to the queue at its end. What is mounted still has the directory that left: mounted
   * afresh, whatever comes of this start writes to the layer that is the container's.
   *
   * @return whether it is such a start
   */
  private static boolean showsItsLayerAgain(Container container, ContainerRoot union)
      throws IOException {
    if (!container.engine().autoRemove() || !LaidOver.isEmpty(union.upper())) {
      return false;
    }
    mountAgain(union, "it went to the queue");
    return true;
  }

  /** What is mounted may have a directory that is not the container's upper any more. */
  private static void mountAgain(ContainerRoot root, String change) throws IOException {
    switch (root) {
      case UnionMount union -> {
        union.detach();
        union.mount();
      }
      case FuseUnion _ -> throw new StaleUnionException(change);
      case PlainRoot _ -> {}
    }
  }

  /** Only a look inside a snapshot needs it: no reason to hold a run up. */
  private void rememberImage(RunRecord run) {
    try {
      images.remember(run.facts().layer().imageId(), run.union().lowers());
    } catch (IOException e) {
      notices.tell(Kind.FAILED, run.queue(), "the layers of its image: " + RuntimeExtension.why(e));
    }
  }

  /** Only an end that finds no agent needs it: no reason to hold a run up. */
  private void prepareEnd(RunRecord run) {
    try {
      new PutAway(records).prepare(run);
    } catch (IOException e) {
      notices.tell(Kind.FAILED, run.queue(), "for want of an agent: " + RuntimeExtension.why(e));
    }
  }

  private RunRecord record(
      Container container,
      HookCall call,
      ContainerRoot union,
      boolean first,
      @Nullable RunRecord before)
      throws IOException {
    List<String> known = before == null ? List.of() : before.placeholders();
    return new RunRecord(
        facts(container, call, union, first),
        State.CREATED,
        null,
        null,
        first ? List.of() : Placeholders.find(container.bundle(), known),
        null);
  }

  private RunFacts facts(Container container, HookCall call, ContainerRoot union, boolean first)
      throws IOException {
    LayerFacts layer =
        new LayerFacts(
            call.container(),
            container.settings().queue(),
            container.settings().keep(),
            container.settings().excludes(),
            container.bundle().uidMap(),
            container.bundle().gidMap(),
            container.engine().imageId(),
            container.engine().imageName(),
            container.engine().notHeld(),
            container.engine().spec());
    return new RunFacts(
        layer,
        container.name(),
        QueueOwners.bootId(),
        clock.instant().truncatedTo(ChronoUnit.MILLIS),
        call.bundle(),
        call.runcRoot(),
        union,
        container.engine().autoRemove(),
        first);
  }
}
