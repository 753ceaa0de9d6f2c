package dev.regen.agent.container;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.docker.EngineException;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.ContainerSettings;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.LayerFacts;
import dev.regen.runtime.oci.SeenRun;
import dev.regen.runtime.oci.Spool;
import dev.regen.runtime.oci.Stores;
import dev.regen.runtime.oci.UpperExchange;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.LinkedTree;
import dev.regen.runtime.overlay.MountTable;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.runtime.overlay.UnionMount;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The writable layers of containers that run under plain runc and bear the label regen.queue. */
public final class PlainLayers {
  private static final Duration LINK_LIMIT = Duration.ofMinutes(10);
  private static final int REMEMBERED_MAX = 1000;
  private static final String FUSE_DRIVER = "fuse-overlayfs";

  private final Disk disk;
  private final Spool spool;
  private final Stores stores;
  private final Targets targets;

  private final Map<ContainerId, Instant> passedOver =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<ContainerId, Instant> eldest) {
          return size() > REMEMBERED_MAX;
        }
      };

  public PlainLayers(Disk disk, Spool spool, Stores stores, Targets targets) {
    this.disk = disk;
    this.spool = spool;
    this.stores = stores;
    this.targets = targets;
  }

  /**
   * Where a container's upper is: as its engine says, or, while it runs, as the mount table has it.
   *
   * @return null if neither knows, or the driver's marks in it are none of overlay's
   */
  @Nullable Path upper(Target target) throws IOException {
    JsonObject driver = target.inspected().objectOrNull("GraphDriver");
    JsonObject data = driver == null ? null : driver.objectOrNull("Data");
    String told = data == null ? null : data.stringOrNull("UpperDir");
    if (driver != null && told != null) {
      boolean readable = !FUSE_DRIVER.equals(driver.stringOrNull("Name"));
      return readable ? Path.of(told) : null;
    }
    // Docker with containerd's store mounts at rootfs/overlayfs/ID, containerd at ID/rootfs.
    Path id = Path.of(target.id().value());
    for (MountTable.Entry mount : MountTable.read().entries()) {
      Path at = mount.mountPoint();
      if (mount.type().equals("overlay")
          && (at.endsWith(id) || at.endsWith(id.resolve("rootfs")))) {
        UnionMount union = UnionMount.at(at);
        return union == null ? null : union.upper();
      }
    }
    return null;
  }

  /** The upper where it is, for a capture of a container that is paused or has ended. */
  FrozenLayer inPlace(Target target, Path upper, Instant at) throws IOException {
    return describe(target, upper, upper, FrozenLayer.Kind.IN_PLACE, at);
  }

  /** Whether the agent can see the upper. */
  boolean isSeen(Path upper) throws IOException {
    return Fd.statIfThere(upper) != null;
  }

  /** The ends of a container up to {@code time} are somebody else's concern. */
  synchronized void passOver(ContainerId id, Instant time) {
    passedOver.put(id, time);
  }

  /** As {@link #link}, unless that end is passed over; then null. */
  synchronized @Nullable FrozenLayer linkEnd(Target target, Path upper, Instant at)
      throws IOException {
    return isPassedOver(target.id(), at) ? null : link(target, upper, at);
  }

  synchronized boolean isPassedOver(ContainerId id, Instant end) {
    Instant until = passedOver.get(id);
    return until != null && !end.isAfter(until);
  }

  /**
   * Puts a layer tree in the place of a stopped container's upper, in one step; the old upper is
   * removed.
   *
   * @param tree in the staging directory of the upper's store; it is the upper afterwards
   * @param now what the event of an end before that would capture is the tree, and no end of a run
   * @throws RegenException.Refused if the container runs. If it was started at this very moment,
   *     the old upper, which may be its state, is kept in staging and archived
   */
  synchronized void replaceUpper(Target target, Path upper, Path tree, Instant now)
      throws IOException {
    if (target.running() || isMounted(upper)) {
      throw new RegenException.Refused(target.words() + " was started meanwhile; try again");
    }
    Path old = UpperExchange.exchange(disk, tree, upper);
    passedOver.put(target.id(), now);
    if (isMounted(upper)) {
      disk.rename(old, Staging.of(upper).frozen(queueOf(target).queue(), now, target.id()));
      throw new RegenException.Refused(target.words() + " was started meanwhile");
    }
    TreeRemoval.remove(old);
  }

  private static boolean isMounted(Path upper) throws IOException {
    for (MountTable.Entry mount : MountTable.read().entries()) {
      String option = mount.type().equals("overlay") ? mount.option("upperdir") : null;
      // A relative one is seen from the home of the engine's driver.
      if (option != null && upper.endsWith(Path.of(option))) {
        return true;
      }
    }
    return false;
  }

  /**
   * Links the upper of a container that has ended into staging; the spool has a job then.
   *
   * @throws RegenException.Refused if it was started again meanwhile; nothing is left then
   */
  synchronized FrozenLayer link(Target target, Path upper, Instant at) throws IOException {
    Staging staging = Staging.of(upper);
    stores.remember(staging);
    Path tree = staging.frozen(queueOf(target).queue(), at, target.id());
    FrozenLayer layer = describe(target, upper, tree, FrozenLayer.Kind.LINKED, at);
    if (spool.holds(layer.job()) || Fd.statIfThere(tree) != null) {
      return layer;
    }
    Path linking = tree.resolveSibling(Staging.LINKING + layer.job());
    TreeRemoval.remove(linking);
    LinkedTree.make(upper, linking, LINK_LIMIT);
    // From this rename on, the tree's own ctime says which files were changed later.
    disk.rename(linking, tree);
    if (hasRunSince(target)) {
      disk.rename(tree, linking);
      TreeRemoval.remove(linking);
      throw new RegenException.Refused(
          target.words() + " was started again before its end was set aside");
    }
    spool.write(layer);
    return layer;
  }

  /** One that the engine has no more, or cannot tell of, is not started by it either. */
  private boolean hasRunSince(Target target) throws IOException {
    try {
      Optional<Target> now = targets.find(target.id().value());
      return now.isPresent()
          && (now.get().running() || !Objects.equals(now.get().startedAt(), target.startedAt()));
    } catch (EngineException.Away e) {
      return false;
    }
  }

  private static FrozenLayer describe(
      Target target, Path upper, Path tree, FrozenLayer.Kind kind, Instant at) throws IOException {
    ContainerSettings settings = queueOf(target);
    LayerFacts facts =
        new LayerFacts(
            target.id(),
            settings.queue(),
            settings.keep(),
            settings.excludes(),
            List.of(),
            List.of(),
            target.imageId(),
            target.imageName(),
            notHeld(target),
            target.spec());
    return new FrozenLayer(
        Staging.jobName(settings.queue(), at, target.id()),
        facts,
        tree,
        kind,
        Fd.stat(upper).inode(),
        SeenRun.between(target.startedAt(), at),
        List.of());
  }

  private static ContainerSettings queueOf(Target target) throws IOException {
    Map<String, String> labels = new HashMap<>();
    JsonObject all = target.inspected().object("Config").objectOrNull("Labels");
    if (all != null) {
      for (String label : all.members().keySet()) {
        labels.put(label, all.string(label));
      }
    }
    if (target.queue() == null) {
      throw new RegenException.Refused(
          "container "
              + target.name()
              + " has no queue: run it with --runtime=regen, or with a label regen.queue");
    }
    return Objects.requireNonNull(ContainerSettings.of(labels, target.name()));
  }

  private static List<String> notHeld(Target target) throws IOException {
    List<String> all = new java.util.ArrayList<>();
    for (JsonObject mount : target.inspected().objects("Mounts")) {
      String type = mount.stringOrNull("Type");
      all.add((type == null ? "mount" : type) + " at " + mount.string("Destination"));
    }
    all.add("memory of its processes");
    return all;
  }
}
