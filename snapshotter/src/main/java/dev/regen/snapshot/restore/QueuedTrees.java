package dev.regen.snapshot.restore;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.oci.ContainerSettings;
import dev.regen.runtime.oci.FrozenLayer.IdRange;
import dev.regen.runtime.oci.NextTrees;
import dev.regen.runtime.overlay.Staging;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.queue.SnapshotQueue;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Tells a starting container what its queue holds for it. */
public final class QueuedTrees implements NextTrees {
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final HotTrees hotTrees;

  public QueuedTrees(SnapshotQueues queues, SnapshotStore snapshots, HotTrees hotTrees) {
    this.queues = queues;
    this.snapshots = snapshots;
    this.hotTrees = hotTrees;
  }

  @Override
  public Next next(
      ContainerSettings settings,
      String imageId,
      List<IdRange> uidMap,
      List<IdRange> gidMap,
      Staging staging)
      throws IOException {
    QueueName name = settings.queue();
    if (!queues.exists(name)) {
      queues.openOrCreate(name, settings.keep()).close();
      return new Next.Nothing();
    }
    QueueContent queue = queues.look(name);
    SnapshotId chosen = queue.chosen();
    SnapshotId id = chosen != null ? chosen : newest(queue);
    if (id == null) {
      return new Next.Nothing();
    }
    Snapshot snapshot = snapshots.read(id);
    boolean sameImage = snapshot.imageId().isEmpty() || snapshot.imageId().equals(imageId);
    if (!sameImage && settings.onImageChange() != ContainerSettings.OnImageChange.REBASE) {
      return otherImage(settings, snapshot, imageId);
    }
    Path tree = hotTrees.prepare(snapshot, staging, uidMap, gidMap, Progress.NONE);
    return new Next.Tree(tree, id.value(), chosen != null, sameImage ? null : snapshot.imageId());
  }

  @Override
  public void check(QueueName name) throws IOException {
    if (queues.exists(name)) {
      queues.look(name);
    }
  }

  @Override
  public void consumed(QueueName name, String snapshot) throws IOException {
    try (SnapshotQueue queue = queues.open(name)) {
      if (new SnapshotId(snapshot).equals(queue.chosen())) {
        queue.choose(null);
      }
    }
  }

  @Override
  public void returned(QueueName name, String snapshot) throws IOException {
    try (SnapshotQueue queue = queues.open(name)) {
      if (queue.chosen() == null) {
        queue.choose(new SnapshotId(snapshot));
      }
    }
  }

  private static @Nullable SnapshotId newest(QueueContent queue) {
    return queue.elements().isEmpty() ? null : queue.elements().getLast().id();
  }

  private static Next otherImage(ContainerSettings settings, Snapshot snapshot, String imageId) {
    String what =
        "the image of queue "
            + settings.queue()
            + " is another than its newest snapshot's ("
            + shortened(snapshot.imageId())
            + ", now "
            + shortened(imageId)
            + ")";
    return settings.onImageChange() == ContainerSettings.OnImageChange.REFUSE
        ? new Next.Refused(what + "; run the old image, or set regen.on-image-change=rebase")
        : new Next.Clean(
            what
                + "; the container starts clean and the queue keeps its snapshots:"
                + " regen.on-image-change=rebase brings them onto the new image");
  }

  private static String shortened(String imageId) {
    String hex = imageId.startsWith("sha256:") ? imageId.substring(7) : imageId;
    return hex.length() <= 12 ? hex : hex.substring(0, 12);
  }
}
