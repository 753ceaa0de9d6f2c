package dev.regen.agent.http;

import dev.regen.agent.container.MountedSnapshots;
import dev.regen.agent.jobs.Jobs;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.time.ZoneId;

/** {@code …/snapshots/S/mount} and {@code /v1/mounts/ID}: trees to look into. */
public final class MountResource {
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final MountedSnapshots mounts;
  private final Jobs jobs;

  public MountResource(
      SnapshotQueues queues, SnapshotStore snapshots, MountedSnapshots mounts, Jobs jobs) {
    this.queues = queues;
    this.snapshots = snapshots;
    this.mounts = mounts;
    this.jobs = jobs;
  }

  public void addTo(Routes routes) {
    routes
        .add("POST", "/v1/queues/{queue}/snapshots/{snapshot}/mount", this::prepare)
        .add("DELETE", "/v1/mounts/{mount}", this::remove);
  }

  private Answer prepare(Call call) throws IOException {
    Snapshot snapshot =
        snapshots.read(
            queues.look(call.queue()).find(call.part("snapshot"), ZoneId.systemDefault()).id());
    return Answer.accepted(
        jobs.start("mount", snapshot.queue().value(), job -> mounts.prepare(snapshot, job)).json());
  }

  private Answer remove(Call call) throws IOException {
    mounts.remove(call.part("mount"));
    return Answer.ok(new dev.regen.runtime.json.JsonObject());
  }
}
