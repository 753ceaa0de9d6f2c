package dev.regen.runtime.oci;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.oci.FrozenLayer.IdRange;
import dev.regen.runtime.overlay.Staging;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The queue as a starting container sees it. Implemented by the snapshotter, which knows queues and
 * archives; the runtime extension knows neither.
 */
public interface NextTrees {
  /** The state a run starts from. */
  sealed interface Next {
    /** Nothing is kept yet: the image alone. */
    record Nothing() implements Next {}

    /**
     * A layer tree that is ready to move in.
     *
     * @param tree {@code staging/hot-SNAPSHOT}
     * @param chosen whether a restore chose it, rather than it being the newest
     * @param rebasedFrom the snapshot's own image, if the container has another; else null
     */
    record Tree(Path tree, String snapshot, boolean chosen, @Nullable String rebasedFrom)
        implements Next {}

    /**
     * The container starts clean, and why; the queue keeps what it has.
     *
     * @param reason in words, for the user
     */
    record Clean(String reason) implements Next {}

    /** The container must not start, and why. */
    record Refused(String reason) implements Next {}
  }

  /**
   * Says what the next run of {@code settings.queue()} starts from; makes the queue, empty and
   * lasting, if there is none.
   *
   * <p>Costs an unpacking of the whole snapshot where its tree is not ready in {@code staging}.
   *
   * @throws IOException if the queue or the snapshot cannot be read; nothing is changed then
   */
  Next next(
      ContainerSettings settings,
      String imageId,
      List<IdRange> uidMap,
      List<IdRange> gidMap,
      Staging staging)
      throws IOException;

  /**
   * Reads the queue, for a run that starts from a layer which no snapshot holds yet.
   *
   * @throws IOException if the queue is there and cannot be read
   */
  void check(QueueName queue) throws IOException;

  /** A run starts from {@code snapshot}: a restore that chose it is done. */
  void consumed(QueueName queue, String snapshot) throws IOException;

  /** The run that {@link #consumed} it never began: the choice stands again. */
  void returned(QueueName queue, String snapshot) throws IOException;
}
