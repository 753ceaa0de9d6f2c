package dev.regen.agent.http;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Routes;
import dev.regen.agent.container.MountedSnapshots;
import dev.regen.agent.jobs.Jobs;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.capture.Arrivals;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;

/** {@code …/snapshots/S/mount} and {@code /v1/mounts/ID}: trees to look into. */
public final class MountResource {
  private final Arrivals arrivals;
  private final SnapshotStore snapshots;
  private final MountedSnapshots mounts;
  private final Jobs jobs;

  public MountResource(
      Arrivals arrivals, SnapshotStore snapshots, MountedSnapshots mounts, Jobs jobs) {
    this.arrivals = arrivals;
    this.snapshots = snapshots;
    this.mounts = mounts;
    this.jobs = jobs;
  }

  public void addTo(Routes routes) {
    routes.add("mountSnapshot", this::prepare).add("removeMount", this::remove);
  }

  private Answer prepare(Call call) throws IOException {
    Snapshot snapshot = snapshots.read(arrivals.find(call.queue(), call.part("snapshot")).id());
    return Answer.accepted(
        jobs.start("mount", snapshot.queue().value(), job -> mounts.prepare(snapshot, job)).json());
  }

  private Answer remove(Call call) throws IOException {
    mounts.remove(call.part("mount"));
    return Answer.ok(new dev.regen.runtime.json.JsonObject());
  }
}
