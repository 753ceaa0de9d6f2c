package dev.regen.agent.container;

import dev.regen.agent.jobs.LayerIntake;
import dev.regen.runtime.docker.EngineException;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.overlay.ChangedSince;
import dev.regen.runtime.overlay.Staging;
import dev.regen.snapshot.End;
import java.io.IOException;
import java.time.Instant;
import java.util.Optional;

/**
 * Watches over layers that share their files with a container under plain runc: nothing keeps that
 * from being started again while they wait or are read.
 *
 * <p>If it was, and any file has a later ctime than the frozen tree, the snapshot is inconsistent.
 * A name of a file that came or went moves its ctime too, so what is whole may be called
 * inconsistent, never the other way round. A start under the extension waits, so its containers are
 * not asked for: their engine answers only after the start.
 */
public final class SharedLayers implements LayerIntake.Stillness {
  private enum Since {
    AT_REST,
    STARTED,
    UNKNOWN
  }

  private final Targets targets;

  public SharedLayers(Targets targets) {
    this.targets = targets;
  }

  @Override
  public End end(FrozenLayer layer, End end) throws IOException {
    return isShared(layer) && isChanged(layer) ? end.asInconsistent() : end;
  }

  private boolean isShared(FrozenLayer layer) throws IOException {
    boolean frozen = String.valueOf(layer.tree().getFileName()).startsWith(Staging.FROZEN);
    return frozen
        && layer.kind() != FrozenLayer.Kind.EXCHANGED
        && !targets.isUnderExtension(layer.container());
  }

  private boolean isChanged(FrozenLayer layer) throws IOException {
    Stat.Time frozenAt = Fd.stat(layer.tree()).ctime();
    return switch (since(layer)) {
      case AT_REST -> false;
      case STARTED -> ChangedSince.byCtime(layer.tree(), frozenAt);
      // Its removal has moved every file's ctime.
      case UNKNOWN -> ChangedSince.byMtime(layer.tree(), frozenAt);
    };
  }

  private Since since(FrozenLayer layer) throws IOException {
    Instant startedAt = layer.run().startedAt();
    if (startedAt == null) {
      return Since.UNKNOWN;
    }
    try {
      Optional<Target> now = targets.findBriefly(layer.container());
      if (now.isEmpty()) {
        return Since.UNKNOWN;
      }
      boolean sameRun = startedAt.equals(now.get().startedAt());
      return sameRun && !now.get().running() ? Since.AT_REST : Since.STARTED;
    } catch (EngineException.Away e) {
      return Since.UNKNOWN;
    }
  }
}
