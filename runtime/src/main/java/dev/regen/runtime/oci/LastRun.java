package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.oci.Notices.Kind;
import dev.regen.runtime.oci.RunRecord.State;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.FuseUnion;
import dev.regen.runtime.overlay.LinkedTree;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The last run of a container that is about to start again. */
final class LastRun {
  private final RunRecords records;
  private final Freeze freeze;
  private final RunEnd ends;
  private final LastLayers lastLayers;
  private final Notices notices;

  LastRun(RunRecords records, Freeze freeze, RunEnd ends, LastLayers lastLayers, Notices notices) {
    this.records = records;
    this.freeze = freeze;
    this.ends = ends;
    this.lastLayers = lastLayers;
    this.notices = notices;
  }

  /**
   * Brings the container's last run to an end of one kind or the other.
   *
   * @return its record afterwards, null if the container has none
   */
  @Nullable RunRecord settle(ContainerId id, Fd lock) throws IOException {
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
    if (ends.isPutAway(before)) {
      ends.recover(before, lock);
      return records.read(id);
    }
    if (before.state() == State.CREATED) {
      freeze.dropPlaced(before);
      notices.tell(
          Kind.MERGED,
          before.queue(),
          "the last run of "
              + before.name()
              + " has no end, the host or the engine crashed; its state goes on in this run");
    }
    return before;
  }

  /** Whether a start broke off that had put files into a root which only its engine can mount. */
  boolean isFilledInPart(ContainerId id) throws IOException {
    RunRecord before = records.read(id);
    return before != null
        && before.union() instanceof FuseUnion
        && before.state() == State.CREATED
        && before.placed() != null
        && records.startedAt(id) == null;
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
}
