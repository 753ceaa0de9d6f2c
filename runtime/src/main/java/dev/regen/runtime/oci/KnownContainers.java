package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.oci.Freeze.Circumstances;
import dev.regen.runtime.oci.FrozenLayer.IdRange;
import dev.regen.runtime.oci.FrozenLayer.Kind;
import dev.regen.runtime.oci.RunRecord.State;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.Fill;
import dev.regen.runtime.overlay.FuseUnion;
import dev.regen.runtime.overlay.PlainRoot;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.runtime.overlay.UnionMount;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The containers that ran under the runtime extension and are still there, for work that no hook
 * asked for: captures by hand, restores in place, the sweep.
 */
public final class KnownContainers {
  private static final Logger LOG = LoggerFactory.getLogger(KnownContainers.class);
  private static final Duration LINK_LIMIT = Duration.ofMinutes(10);

  private final Disk disk;
  private final RunRecords records;
  private final Freeze freeze;
  private final Spool spool;
  private final PutAway putAway;
  private final Views views;
  private final UpperReplacement replacement;

  /**
   * The containers of one home.
   *
   * @param home {@code /var/lib/regen}
   * @param known so that the layer of a stopped container is set aside at the cost of what changed
   */
  public KnownContainers(Disk disk, Path home, KnownFiles known) {
    this.disk = disk;
    this.records = new RunRecords(disk, home.resolve("runs"));
    this.putAway = new PutAway(records);
    this.spool = new Spool(disk, home.resolve("spool"));
    this.freeze = new Freeze(disk, records, spool, known, _ -> false);
    this.views = new Views(home);
    this.replacement = new UpperReplacement(disk, records);
  }

  /**
   * A container as its last run record has it.
   *
   * @param running its first process lives
   * @param lowers the image's layers on this host, the topmost first
   */
  public record Known(
      ContainerId id,
      String name,
      QueueName queue,
      Path upper,
      List<Path> lowers,
      boolean autoRemove,
      boolean running,
      List<IdRange> uidMap,
      List<IdRange> gidMap) {}

  /** Every known container whose upper is still there. */
  public List<Known> list() throws IOException {
    List<Known> all = new ArrayList<>();
    for (RunRecord run : records.list()) {
      if (Fd.statIfThere(run.union().upper()) != null) {
        all.add(known(run));
      }
    }
    return all;
  }

  /** The container with this id, or null if Regen never ran it or its upper is gone. */
  public @Nullable Known find(ContainerId id) throws IOException {
    RunRecord run = records.read(id);
    return run == null || Fd.statIfThere(run.union().upper()) == null ? null : known(run);
  }

  /** Whether the container ran here, but its layer is mounted for its engine alone. */
  public boolean isElsewhere(ContainerId id) throws IOException {
    RunRecord run = records.read(id);
    return run != null
        && Fd.statIfThere(run.union().upper()) == null
        && !Staging.isSeen(run.union().upper());
  }

  /** All that is known of the container's layer; where there is no upper, its tree is the root. */
  public FrozenLayer describe(ContainerId id, Instant at) throws IOException {
    return freeze.describe(required(id), new Circumstances(at, false, false), Kind.IN_PLACE);
  }

  /**
   * What a capture of the running, paused container reads: its upper where it is; or, where there
   * is none or it is not of overlay's form, a layer tree made of it, which goes with {@link
   * #letGo}.
   */
  public FrozenLayer inPlace(ContainerId id, Instant at) throws IOException {
    RunRecord run = required(id);
    FrozenLayer layer = describe(id, at);
    Path tree = Staging.of(run.union().upper()).building();
    switch (run.union()) {
      case UnionMount _ -> {
        return layer;
      }
      case PlainRoot root -> root.diff(tree, LINK_LIMIT);
      case FuseUnion union -> {
        if (union.isMounted()) {
          disk.forceFileSystem(union.mountPoint()); // What was written through a mapping.
        }
        union.link(tree, LINK_LIMIT);
      }
    }
    return layer.at(tree, Fd.stat(tree).inode());
  }

  /** Nobody reads any more what {@link #inPlace} gave. */
  public void letGo(FrozenLayer layer) throws IOException {
    String name = String.valueOf(layer.tree().getFileName());
    if (name.startsWith(Staging.BUILDING)) {
      TreeRemoval.remove(layer.tree());
    }
  }

  /**
   * Sets the upper of a stopped container aside as at an end, by links; the spool has a job then.
   *
   * @throws IOException if the container runs, or another operation works on it
   */
  public FrozenLayer freezeStopped(ContainerId id, Instant at) throws IOException {
    try (Fd lock = records.lock(id)) {
      RunRecord run = stopped(id, lock);
      return freeze.again(run, new Circumstances(at, false, false), LINK_LIMIT);
    }
  }

  /**
   * A tree that is to take the place of an upper.
   *
   * @param path in the staging directory of the upper's store; its bytes are forced to the disk
   * @param directories of the present upper that belong into it, whole; paths relative to the tree,
   *     which has the directories around them
   */
  public record Replacement(Path path, List<byte[]> directories) {}

  /** Makes the tree that is to take the place of an upper. */
  public interface TreeMaker {
    /**
     * Makes it; it is removed if it does not become the upper.
     *
     * @param present the upper as it is, which nobody changes or links meanwhile; null where the
     *     container has none, or nothing can be moved from it
     */
    Replacement of(@Nullable FrozenLayer present) throws IOException, InterruptedException;
  }

  /**
   * Puts a layer tree in the place of a stopped container's upper, in one step. The container keeps
   * its id; start, cp, diff and commit see the tree from now on.
   *
   * @return what is left of the old upper, in staging, which nobody needs any more; the sweep
   *     removes it too. Null if nothing is left
   * @throws IOException if the container runs, or is started meanwhile, or another operation works
   *     on it, or no tree could be made; nothing is changed
   */
  public @Nullable Path replaceUpper(ContainerId id, Instant at, TreeMaker maker)
      throws IOException, InterruptedException {
    RunRecord run = settled(id);
    if (run.union() instanceof PlainRoot) {
      Path tree = maker.of(null).path();
      try (Fd lock = records.lock(id)) {
        RunRecord now = sameRun(run, stopped(id, lock));
        replaceRoot(now, (PlainRoot) now.union(), tree);
      }
      return null;
    }
    boolean reaches = Staging.reaches(run.union().upper());
    Replacement made =
        maker.of(
            reaches && run.union() instanceof UnionMount
                ? freeze.describe(run, new Circumstances(at, false, false), Kind.IN_PLACE)
                : null);
    // A start waits for the lock, but not for long.
    disk.forceFileSystem(made.path());
    Path old;
    try (Fd lock = records.lock(id)) {
      RunRecord now = sameRun(run, stopped(id, lock));
      old =
          reaches
              ? replacement.exchange(now, made.path(), made.directories())
              : copied(made.path(), now.union().upper());
    } catch (IOException e) {
      TreeRemoval.remove(made.path());
      throw e;
    }
    return lasts(run) ? old : null;
  }

  /** If not, the exchange stays on record, and what it left in staging. */
  private boolean lasts(RunRecord run) {
    try {
      replacement.finish(run);
      return true;
    } catch (IOException e) {
      LOG.warn("the new layer of {} may not last over a power cut yet", run.name(), e);
      return false;
    }
  }

  /** Where nothing can be renamed to the upper. */
  private @Nullable Path copied(Path tree, Path upper) throws IOException {
    Path old = UpperExchange.exchange(disk, tree, upper);
    if (UpperExchange.isInLayer(old)) {
      TreeRemoval.remove(old);
      return null;
    }
    return old;
  }

  private RunRecord settled(ContainerId id) throws IOException {
    try (Fd lock = records.lock(id)) {
      replacement.settle(id);
      return stopped(id, lock);
    }
  }

  private static RunRecord sameRun(RunRecord before, RunRecord now) throws IOException {
    if (!before.createdAt().equals(now.createdAt())) {
      throw new IOException("container " + now.name() + " was started meanwhile; try again");
    }
    return now;
  }

  /** Makes the root again from the layer below, with the tree in it, and exchanges it whole. */
  private void replaceRoot(RunRecord run, PlainRoot root, Path tree) throws IOException {
    Path fresh = Staging.of(root.root()).building();
    try {
      root.fresh(fresh, LINK_LIMIT);
      PlainRoot made = root.since(Fd.stat(fresh).ctime());
      Fill.apply(tree, fresh, true, LINK_LIMIT);
      disk.exchange(fresh, root.root());
      records.write(run.withRoot(made));
      TreeRemoval.remove(tree);
    } finally {
      PlainRoot.remove(fresh);
    }
  }

  /** Forgets the containers whose engine has removed them; returns how many. */
  public int forgetRemoved() throws IOException {
    int forgotten = 0;
    for (RunRecord run : records.list()) {
      boolean gone =
          views.where(
              run.union().upper(),
              () ->
                  run.state() != State.ENDING
                      && putAway.name(run.container()) == null
                      && RunEnd.isGone(run));
      if (gone) {
        records.remove(run.container());
        forgotten++;
      }
    }
    return forgotten;
  }

  private RunRecord required(ContainerId id) throws IOException {
    RunRecord run = records.read(id);
    if (run == null) {
      throw new IOException("container " + id.shortened() + " has not run with --runtime=regen");
    }
    return run;
  }

  private RunRecord stopped(ContainerId id, Fd lock) throws IOException {
    RunRecord run = required(id);
    boolean alive = Processes.of(run.runcRoot(), id).alive();
    if (alive || run.union().isMounted() || lock.number() < 0) {
      throw new IOException("container " + run.name() + " is running; stop it first");
    }
    if (run.state() != State.ENDED) {
      throw new IOException(
          "the end of container " + run.name() + " is not on record yet; try again, or start it");
    }
    return run;
  }

  private static Known known(RunRecord run) throws IOException {
    return new Known(
        run.container(),
        run.name(),
        run.queue(),
        run.union().upper(),
        run.union().lowers(),
        run.autoRemove(),
        Processes.of(run.runcRoot(), run.container()).alive(),
        run.facts().layer().uidMap(),
        run.facts().layer().gidMap());
  }
}
