package dev.regen.agent.hook;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.oci.ContainerSettings;
import dev.regen.runtime.oci.FrozenLayer.IdRange;
import dev.regen.runtime.oci.NextTrees;
import dev.regen.runtime.overlay.Staging;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Opens the stores only when a container starts that needs them; an end needs none. */
final class LazyTrees implements NextTrees {
  private final Opening opening;
  private @Nullable NextTrees opened;

  /** Opens the real thing. */
  interface Opening {
    NextTrees open() throws IOException;
  }

  LazyTrees(Opening opening) {
    this.opening = opening;
  }

  @Override
  public Next next(
      ContainerSettings settings,
      String imageId,
      List<IdRange> uidMap,
      List<IdRange> gidMap,
      Staging staging)
      throws IOException {
    return trees().next(settings, imageId, uidMap, gidMap, staging);
  }

  @Override
  public void check(QueueName queue) throws IOException {
    trees().check(queue);
  }

  @Override
  public void consumed(QueueName queue, String snapshot) throws IOException {
    trees().consumed(queue, snapshot);
  }

  @Override
  public void returned(QueueName queue, String snapshot) throws IOException {
    trees().returned(queue, snapshot);
  }

  private NextTrees trees() throws IOException {
    if (opened == null) {
      opened = opening.open();
    }
    return opened;
  }
}
