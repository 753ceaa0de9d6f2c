package dev.regen.agent.http;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Routes;
import dev.regen.agent.container.MountedSnapshots;
import dev.regen.agent.jobs.Jobs;
import dev.regen.agent.rules.Action;
import dev.regen.agent.rules.Snapshots;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;

/** {@code …/snapshots/S/mount} and {@code /v1/mounts/ID}: trees to look into. */
public final class MountResource {
  private final Snapshots found;
  private final SnapshotStore snapshots;
  private final MountedSnapshots mounts;
  private final Jobs jobs;

  public MountResource(
      Snapshots found, SnapshotStore snapshots, MountedSnapshots mounts, Jobs jobs) {
    this.found = found;
    this.snapshots = snapshots;
    this.mounts = mounts;
    this.jobs = jobs;
  }

  public void addTo(Routes routes) {
    routes.add("mountSnapshot", this::prepare).add("removeMount", this::remove);
  }

  private Answer prepare(Call call) throws IOException {
    Snapshot snapshot =
        snapshots.read(found.require(Action.MOUNT, call.queue(), call.part("snapshot")).id());
    return Answer.accepted(
        jobs.start("mount", snapshot.queue().value(), job -> mounts.prepare(snapshot, job)).json());
  }

  private Answer remove(Call call) throws IOException {
    mounts.remove(call.part("mount"));
    return Answer.ok(new dev.regen.runtime.json.JsonObject());
  }
}
