package dev.regen.agent.http;

import dev.regen.runtime.QueueName;
import dev.regen.snapshot.SnapshotId;
import java.io.IOException;
import java.util.List;

/** Deletes the data of snapshots that have left a queue. */
@FunctionalInterface
public interface Eviction {
  void evict(QueueName queue, List<SnapshotId> left) throws IOException;
}
