package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * The layer of a kept container was frozen by what was known of its files, the agent died before it
 * was archived, and the container's next run finds no agent.
 */
@EngineTest(hostPerTest = true)
final class UnarchivedKeptLayerEngineTest {
  private final Host host;

  UnarchivedKeptLayerEngineTest(Host host) {
    this.host = host;
  }

  @Test
  void sameContainerRunsOnAndItsLastStateIsASnapshot() throws IOException, InterruptedException {
    KeptContainer kept = frozenInPart();

    kept.run("with the agent down");
    host.startAgent();

    kept.assertSnapshotsAreWhole("after a run with the agent down");
    assertThat(host.regen("events").ok()).contains("no snapshot of its own");
    kept.run("after all");
  }

  @Test
  void anotherContainerDoesNotTakeAPartForTheWholeAndTheLayerIsASnapshotAfterwards()
      throws IOException, InterruptedException {
    KeptContainer kept = frozenInPart();
    String before = kept.seen();

    String clean = kept.again();
    host.startAgent();

    assertThat(clean).isEqualTo("0" + before.substring(before.indexOf('\n')));
    kept.assertSnapshotsAreWhole("after a run without its state");
    List<JsonObject> snapshots = host.snapshots("kept");
    assertThat(snapshots.getLast().string("good")).isEqualTo("unknown");
    host.regen("restore", "kept", "--at=-1", "--no-start").ok();
    assertThat(host.docker("start", "-a", "kept").ok()).isEqualTo(before);
  }

  /** The agent cannot archive the second run's layer, and is killed. */
  private KeptContainer frozenInPart() throws IOException, InterruptedException {
    KeptContainer kept = new KeptContainer(host, "kept");
    host.awaitIdle();
    String manifests = host.home().resolve("snapshots").toString();
    Command.run(Map.of(), "chattr", "+i", manifests).ok();
    try {
      kept.run("that cannot be archived");
      Host.await("a failure", () -> host.regen("events").out().contains("failed"));
      host.stopAgent(true);
    } finally {
      Command.run(Map.of(), "chattr", "-i", manifests).ok();
    }
    try (var jobs = Files.list(host.spool())) {
      Path job = jobs.filter(file -> file.toString().endsWith(".json")).findFirst().orElseThrow();
      assertThat(Files.readString(job)).contains("\"LISTED\"");
    }
    return kept;
  }
}
