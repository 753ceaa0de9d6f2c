package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.Why;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.oci.Notices.Kind;
import dev.regen.runtime.os.Fd;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What Regen does around {@code runc create} and {@code runc delete}.
 *
 * <p>It never calls the engine, and it is never why a container cannot run or end: what fails is
 * told and left for later, unless the container's label {@code regen.on-failure=refuse} wants
 * otherwise. Safe for use by several threads and processes at once; one container is worked on by
 * one of them.
 */
public final class RuntimeExtension {
  private final RunRecords records;
  private final RunStart start;
  private final RunEnd end;
  private final UpperReplacement exchange;
  private final List<Path> dataRoots;
  private final Notices notices;
  private final Views views;
  private final Set<ContainerId> unfinished = ConcurrentHashMap.newKeySet();

  /**
   * @param home {@code /var/lib/regen}
   * @param dataRoots where engines keep their data, to read their records of containers
   */
  public RuntimeExtension(
      Disk disk,
      Path home,
      List<Path> dataRoots,
      NextTrees nextTrees,
      PendingLayers pending,
      KnownFiles known,
      Notices notices,
      InstantSource clock) {
    this.records = new RunRecords(disk, home.resolve("runs"));
    Spool spool = new Spool(disk, home.resolve("spool"));
    Freeze freeze =
        new Freeze(
            disk,
            records,
            spool,
            known,
            container -> EngineRecord.isBeingRemoved(dataRoots, container));
    Stores stores = new Stores(disk, home.resolve("stores"));
    this.end = new RunEnd(disk, records, spool, freeze, nextTrees, notices, clock);
    LastLayers lastLayers = new LastLayers(records, spool, end, pending, notices);
    this.exchange = new UpperReplacement(disk, records);
    StartChecks checks = new StartChecks(spool, nextTrees, notices);
    this.start =
        new RunStart(
            new ContainerRoots(dataRoots),
            records,
            new LastRun(records, freeze, end, lastLayers, notices),
            stores,
            new SeenImages(disk, home),
            checks,
            new QueueOwners(records, new Fences(disk, home), clock),
            lastLayers,
            new Regeneration(
                disk, records, spool, nextTrees, new Rebase(dataRoots, notices), checks, notices),
            exchange,
            notices,
            clock);
    this.dataRoots = List.copyOf(dataRoots);
    this.notices = notices;
    this.views = new Views(home);
  }

  /** Answers one call of a front that waits as long as it takes. */
  public Answer handle(HookCall call) {
    return handle(call, Caller.PATIENT);
  }

  /** Answers one call of the front; a start is given up when {@code caller} no longer waits. */
  public Answer handle(HookCall call, Caller caller) {
    return switch (call.verb()) {
      case CREATE -> create(call, caller);
      case CREATE_FAILED -> createFailed(call);
      case DELETE -> delete(call);
    };
  }

  /**
   * Finishes freezes that a crash, a time limit or a full disk stopped.
   *
   * @return how many are in the spool now
   */
  public int recover() throws IOException {
    int finished = 0;
    for (RunRecord run : records.list()) {
      try {
        finished += views.where(end.place(run), () -> recover(run)) ? 1 : 0;
      } catch (IOException e) {
        if (unfinished.add(run.container())) {
          notices.tell(Kind.FAILED, run.queue(), "the end of a run is not finished: " + why(e));
        }
      }
    }
    return finished;
  }

  private boolean recover(RunRecord run) throws IOException {
    if (records.replacing(run.container()) != null) {
      settleExchange(run);
    }
    if (!end.isOpen(run)) {
      return false;
    }
    try (Fd lock = records.lock(run.container())) {
      return end.recover(run, lock);
    }
  }

  /** Not of a container that runs: its start has done it, or is about to. */
  private void settleExchange(RunRecord run) throws IOException {
    try (Fd _ = records.lock(run.container())) {
      RunRecord now = records.read(run.container());
      if (now != null && now.state() == RunRecord.State.ENDED && !now.union().isMounted()) {
        exchange.settle(run.container());
      }
    }
  }

  private Answer create(HookCall call, Caller caller) {
    Container container = null;
    try {
      container = Container.read(call, dataRoots);
      if (container == null) {
        return new Answer.NotOurs();
      }
      try (Fd lock = records.lock(call.container())) {
        return start.begin(container, call, caller, lock);
      }
    } catch (IOException e) {
      return failed(container, call.container(), e);
    }
  }

  private Answer failed(@Nullable Container container, ContainerId id, IOException e) {
    boolean part = isUnderWay(id);
    boolean refuse = part || refuses(container, e);
    String name = container == null ? "" : container.name();
    QueueName queue = container == null ? null : container.settings().queue();
    if (e instanceof BadLabelException label) {
      name = label.container();
      queue = label.queue();
    }
    String what =
        "container "
            + (name.isEmpty() ? id.shortened() : name)
            + (refuse ? " is not started: " : " starts without its kept state: ")
            + why(e)
            + (part ? "; a restore of it broke off, and its layer is not whole before that" : "");
    notices.tell(refuse ? Kind.REFUSED : Kind.FAILED, queue, what);
    return refuse ? new Answer.Refuse(what) : new Answer.Go();
  }

  /** A record that cannot be read keeps no container from starting. */
  private boolean isUnderWay(ContainerId id) {
    try {
      return exchange.isUnderWay(id);
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean refuses(@Nullable Container container, IOException e) {
    return e instanceof BadLabelException
        || e instanceof StaleUnionException
        || (container != null
            && container.settings().onFailure() == ContainerSettings.OnFailure.REFUSE);
  }

  private Answer createFailed(HookCall call) {
    try (Fd lock = records.lock(call.container())) {
      RunRecord run = records.read(call.container());
      if (run != null && run.state() == RunRecord.State.CREATED) {
        end.cancelled(run, lock);
      }
    } catch (IOException e) {
      notices.tell(Kind.FAILED, null, "a tree was not put back: " + why(e));
    }
    return new Answer.Go();
  }

  private Answer delete(HookCall call) {
    try (Fd lock = records.lock(call.container())) {
      RunRecord run = records.read(call.container());
      if (run != null) {
        end.end(run, call.force(), lock);
      } else {
        // A start that was refused left its lock and nothing else.
        records.remove(call.container());
      }
    } catch (IOException e) {
      notices.tell(Kind.FAILED, null, "the end of a run was not kept: " + why(e));
    }
    return new Answer.Go();
  }

  static String why(IOException e) {
    return Why.of(e);
  }
}
