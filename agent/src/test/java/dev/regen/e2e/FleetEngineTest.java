package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.fleet.FleetClient;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A host with an engine as a node of a fleet, while its manager and its agent are killed. */
@EngineTest
final class FleetEngineTest {
  private final Host host;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @SuppressWarnings("NullAway.Init")
  private ManagerProcess manager;

  FleetEngineTest(Host host) {
    this.host = host;
  }

  @BeforeEach
  void join() throws Exception {
    manager = new ManagerProcess(directory);
    String token =
        manager
            .admin()
            .post("/v1/nodes", new JsonObject().with("name", "n1"))
            .json()
            .string("token");
    Path file = Files.writeString(directory.resolve("token"), token);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    host.configure(
        new JsonObject()
            .with("manager", manager.uri() + "?token-file=" + file)
            .with("node", "n1")
            .with("jobIntervalMillis", 200));
    host.stopAgent(false);
    host.startAgent();
  }

  @AfterEach
  void leave() {
    manager.close();
  }

  @Test
  void captureAskedForAtTheManagerIsShownThereWithItsSnapshot() throws Exception {
    runDesk("asked", "echo one > /state; sleep 600");

    JsonObject done = ended(capture("asked"));

    assertThat(done.string("state")).as("%s", done).isEqualTo("success");
    Host.await("the snapshot to be shown", () -> snapshots("asked") == 1);
    JsonObject gone = ended(capture("gone"));
    assertThat(gone.string("code")).isEqualTo("not_found");
    assertThat(gone.string("message")).contains("no container 'gone'");
  }

  @Test
  @Tag("long")
  void managerThatIsKilledLosesNoJobAndNoneIsDoneTwice() throws Exception {
    runDesk("kept", "echo one > /state; sleep 600");
    assertThat(ended(capture("kept")).string("state")).isEqualTo("success");
    List<String> jobs = new ArrayList<>();
    for (int kill = 0; kill < 3; kill++) {
      for (int i = 0; i < 5; i++) {
        jobs.add(ask("setKeep", "queue", "kept", new JsonObject().with("keep", 2 + i)));
      }
      manager.kill();
      manager.startAgain();
    }

    for (String job : jobs) {
      JsonObject done = ended(job);
      assertThat(done.string("state")).as("%s", done).isEqualTo("success");
    }

    String own = host.regen("jobs", "--json").ok();
    for (String job : jobs) {
      assertThat(own.split("fleet:" + job, -1)).as(job).hasSize(2);
    }
  }

  @Test
  @Tag("long")
  void jobThatRanWhenTheAgentWasKilledHasFailedAndSaysWhy() throws Exception {
    runDesk("large", "head -c 300000000 /dev/urandom > /large; touch /ready; sleep 600");
    Host.await("the file", () -> host.docker("exec", "large", "test", "-e", "/ready").code() == 0);
    String job = capture("large");
    Host.await("the capture to run", () -> state(job).equals("running"));

    host.stopAgent(true);
    host.startAgent();

    JsonObject done = ended(job);
    assertThat(done.string("state")).as("%s", done).isEqualTo("failed");
    assertThat(done.string("code")).isEqualTo("interrupted");
  }

  private void runDesk(String name, String script) throws IOException, InterruptedException {
    host.docker(
            "run",
            "--runtime=regen",
            "-d",
            "--rm",
            "--network=none",
            "--name",
            name,
            Host.IMAGE,
            "sh",
            "-c",
            script)
        .ok();
  }

  private String capture(String container) throws Exception {
    return ask("captureContainer", "container", container, new JsonObject());
  }

  private String ask(String operation, String part, String of, JsonObject body) throws Exception {
    FleetClient.Answer answer =
        manager
            .admin()
            .post(
                "/v1/nodes/n1/jobs",
                new JsonObject()
                    .with("operation", operation)
                    .with("parts", new JsonObject().with(part, of))
                    .with("body", body));
    assertThat(answer.status()).as("%s", answer).isEqualTo(202);
    return answer.json().string("id");
  }

  private String state(String job) throws IOException, InterruptedException {
    return manager.admin().get("/v1/jobs/" + job).json().string("state");
  }

  private JsonObject ended(String job) throws IOException, InterruptedException {
    Host.await("job " + job, () -> state(job).equals("success") || state(job).equals("failed"));
    return manager.admin().get("/v1/jobs/" + job).json();
  }

  private int snapshots(String queue) throws IOException, InterruptedException {
    return manager.admin().get("/v1/nodes/n1/queues/" + queue).json().objects("snapshots").size();
  }
}
