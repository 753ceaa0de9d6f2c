package dev.regen.agent.jobs;

import dev.regen.runtime.Count;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.KnownContainers;
import dev.regen.runtime.oci.Spool;
import dev.regen.runtime.oci.Views;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Project;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.snapshot.End;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.capture.CaptureResult;
import dev.regen.snapshot.capture.Captures;
import dev.regen.snapshot.restore.HotTrees;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes one layer from the spool into its queue. Then the job is removed, and the tree becomes the
 * hot tree of its snapshot if nobody else has it, or is removed.
 */
public final class LayerIntake implements SpoolDrain.Intake {
  private static final Logger LOG = LoggerFactory.getLogger(LayerIntake.class);

  private final Spool spool;
  private final Views views;
  private final Captures captures;
  private final HotTrees hotTrees;
  private final KnownContainers containers;
  private final Housekeeping housekeeping;
  private final Stillness stillness;
  private final Events events;

  /** What became of the files of layers that are read where a container may still write. */
  @FunctionalInterface
  public interface Stillness {
    /**
     * {@code end}, or the same marked inconsistent if what was read of {@code layer} may be of
     * different moments. Asked after the last byte was read.
     */
    End end(FrozenLayer layer, End end) throws IOException;
  }

  public LayerIntake(
      Spool spool,
      Views views,
      Captures captures,
      HotTrees hotTrees,
      KnownContainers containers,
      Housekeeping housekeeping,
      Stillness stillness,
      Events events) {
    this.spool = spool;
    this.views = views;
    this.captures = captures;
    this.hotTrees = hotTrees;
    this.containers = containers;
    this.housekeeping = housekeeping;
    this.stillness = stillness;
    this.events = events;
  }

  @Override
  public void take(FrozenLayer layer, Captures.EndAfterReading end, Job job) throws IOException {
    views.where(
        layer.tree(),
        () -> {
          takeHere(layer, end, job);
          return true;
        });
  }

  private void takeHere(FrozenLayer layer, Captures.EndAfterReading end, Job job)
      throws IOException {
    if (Fd.statIfThere(layer.tree()) == null) {
      if (captures.isCaptured(layer)) {
        spool.remove(layer.job());
      } else {
        lost(layer);
      }
      return;
    }
    job.step("archiving");
    CaptureResult result =
        captures.capture(layer, () -> stillness.end(layer, end.end()), job, job::cancelled);
    if (sharesFiles(layer)) {
      // The job stays meanwhile, and so nothing runs on the files.
      settle(layer, job);
    }
    spool.remove(layer.job());
    tell(events, layer, result);
    try {
      handOver(layer, result);
      housekeeping.look();
    } catch (IOException e) {
      LOG.warn("the tree {} was not tidied away; the next start does it", layer.tree(), e);
    }
  }

  /** Tells what became of a layer; the words are those of {@code regen events}. */
  public static String tell(Events events, FrozenLayer layer, CaptureResult result) {
    String queue = layer.queue().value();
    return switch (result) {
      case CaptureResult.Stored stored -> {
        Snapshot snapshot = stored.snapshot();
        String message =
            "snapshot "
                + snapshot.id().shortened()
                + ", "
                + words(snapshot.end())
                + ", "
                + Count.of(snapshot.archive().entries(), "entry")
                + (stored.evicted().isEmpty()
                    ? ""
                    : "; " + stored.evicted().size() + " left the queue")
                + (layer.run().startedWithout() == null
                    ? ""
                    : "; its run had begun without the kept state, which is before it");
        events.tell(Event.Kind.CAPTURED, queue, message);
        tellIfInconsistent(events, layer, snapshot);
        yield message;
      }
      case CaptureResult.Unchanged same -> {
        String message =
            "nothing has changed since snapshot "
                + same.tail().shortened()
                + ", which has this time now";
        events.tell(Event.Kind.UNCHANGED, queue, message);
        yield message;
      }
      case CaptureResult.Superseded old ->
          "snapshot " + old.snapshot().shortened() + " has left the queue since";
    };
  }

  private static void tellIfInconsistent(Events events, FrozenLayer layer, Snapshot snapshot) {
    if (snapshot.end().inconsistent()) {
      events.tell(
          Event.Kind.INCONSISTENT,
          layer.queue().value(),
          "snapshot "
              + snapshot.id().shortened()
              + " is inconsistent: container "
              + layer.container().shortened()
              + " ran and wrote while its layer was read; its files may be of different moments");
    }
  }

  private void handOver(FrozenLayer layer, CaptureResult result) throws IOException {
    SnapshotId snapshot = snapshotOf(result);
    switch (layer.kind()) {
      case IN_PLACE -> {
        // A container's own upper stays; an adopted tree is needed no more.
        if (String.valueOf(layer.tree().getFileName()).startsWith(Staging.FROZEN)) {
          TreeRemoval.remove(layer.tree());
        }
      }
      case LINKED, LISTED -> {
        // Gone already.
      }
      case EXCHANGED -> {
        // What was left out of the archive must not come back with the tree.
        if (snapshot == null || !layer.facts().excludes().isEmpty() || hasProject(layer.tree())) {
          TreeRemoval.remove(layer.tree());
        } else {
          hotTrees.adopt(layer.tree(), snapshot, layer.facts().uidMap(), layer.facts().gidMap());
        }
      }
    }
  }

  /**
   * An upper that was renamed out of a layer with a size limit is still charged to that limit,
   * whose number the engine gives to another container one day.
   */
  private static boolean hasProject(Path tree) throws IOException {
    return Project.of(tree) != Project.of(Staging.around(tree).directory());
  }

  private static boolean sharesFiles(FrozenLayer layer) {
    return switch (layer.kind()) {
      case LINKED, LISTED -> true;
      case EXCHANGED, IN_PLACE -> false;
    };
  }

  private void settle(FrozenLayer layer, Job job) throws IOException {
    KnownContainers.Known container = containers.find(layer.container());
    Path upper = container == null || container.running() ? null : container.upper();
    captures.files().settle(layer, upper, () -> hotTrees.discard(layer.tree()), job::cancelled);
  }

  private static @Nullable SnapshotId snapshotOf(CaptureResult result) {
    return switch (result) {
      case CaptureResult.Stored stored -> stored.snapshot().id();
      case CaptureResult.Unchanged same -> same.tail();
      case CaptureResult.Superseded _ -> null;
    };
  }

  private void lost(FrozenLayer layer) throws IOException {
    Path store = Staging.around(layer.tree()).directory();
    if (Fd.statIfThere(store) == null) {
      throw new IOException(
          store + " is not there; is its file system mounted, its engine running?");
    }
    spool.remove(layer.job());
    events.tell(
        Event.Kind.FAILED,
        layer.queue().value(),
        "the layer tree " + layer.tree() + " is gone; this end has no snapshot");
  }

  private static String words(End end) {
    String reason = end.reason().name().toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
    return reason
        + (end.exitCode() == null ? "" : " (" + end.exitCode() + ")")
        + (end.inconsistent() ? ", inconsistent" : "");
  }
}
