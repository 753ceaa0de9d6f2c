package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Restores, captures by hand, looks inside, and containers under plain runc, on a real engine. */
@EngineTest
class RestoreEngineTest {
  private final Host host;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path outside;

  RestoreEngineTest(Host host) {
    this.host = host;
  }

  @Test
  void nextRunStartsFromTheChosenSnapshot() throws IOException, InterruptedException {
    host.desk("next", "echo 1 >/root/state").ok();
    host.desk("next", "echo 2 >/root/state; echo x >/root/later").ok();
    assertThat(host.snapshots("next")).hasSize(2);

    String said = host.regen("restore", "next", "--at", "-1").ok();

    assertThat(said).contains("the next run of queue next starts from snapshot");
    assertThat(host.desk("next", "cat /root/state; ls /root").ok()).isEqualTo("1\nstate");
  }

  @Test
  void runningContainerWithRmIsRefusedAndGoesOn() throws IOException, InterruptedException {
    host.desk("busy", "echo 1 >/root/state").ok();
    host.snapshots("busy");
    run("busy", "--rm", "sleep 1000");

    Command.Result refused = host.regen("restore", "busy");

    assertThat(refused.code()).isEqualTo(4);
    assertThat(refused.err()).contains("docker stop busy").hasLineCount(1);
    assertThat(host.docker("ps", "-q", "--filter=name=busy").ok()).isNotEmpty();
    host.docker("rm", "-f", "busy").ok();
  }

  @Test
  void runningKeptContainerIsRestoredInPlaceAndItsPresentStateIsKept()
      throws IOException, InterruptedException {
    run("kept", "--init", "test -e /root/n || echo 1 >/root/n; sleep 1000");
    host.docker("stop", "-t", "5", "kept").ok();
    assertThat(host.snapshots("kept")).hasSize(1);
    host.docker("start", "kept").ok();
    host.docker("exec", "kept", "sh", "-c", "echo 2 >/root/n; touch /root/later").ok();
    String id = host.docker("inspect", "-f", "{{.Id}}", "kept").ok();

    String said = host.regen("restore", "kept").ok();

    assertThat(said).contains("container kept is back at").contains("and runs");
    assertThat(host.docker("inspect", "-f", "{{.Id}}", "kept").ok()).isEqualTo(id);
    assertThat(host.docker("exec", "kept", "sh", "-c", "cat /root/n; ls /root").ok())
        .isEqualTo("1\nn");
    List<JsonObject> snapshots = host.snapshots("kept");
    assertThat(snapshots).hasSize(2);
    assertThat(snapshots.getLast().string("reason")).isEqualTo("stopped");
    assertThat(snapshots.getLast().string("good")).isEqualTo("yes");
    assertThat(snapshots).noneMatch(snapshot -> isChosen(snapshot));
    host.docker("rm", "-f", "kept").ok();
  }

  @Test
  void stoppedKeptContainerIsCapturedAndRestoredWithoutBeingStarted()
      throws IOException, InterruptedException {
    host.docker(
            "run",
            "--runtime=regen",
            "--network=none",
            "--name=still",
            Host.IMAGE,
            "sh",
            "-c",
            "echo 1 >/root/n")
        .ok();
    host.snapshots("still");
    Path file = Files.writeString(outside.resolve("copied"), "by hand\n");
    host.docker("cp", file.toString(), "still:/root/copied").ok();

    host.regen("restore", "still", "--no-start").ok();

    host.docker("cp", "still:/root", outside.resolve("root").toString()).ok();
    assertThat(outside.resolve("root/n")).hasContent("1");
    assertThat(outside.resolve("root/copied")).doesNotExist();
    assertThat(host.docker("inspect", "-f", "{{.State.Running}}", "still").ok()).isEqualTo("false");
    List<JsonObject> snapshots = host.snapshots("still");
    assertThat(snapshots).hasSize(2);
    assertThat(snapshots.getLast().string("reason")).isEqualTo("captured");
    host.docker("rm", "still").ok();
  }

  @Test
  void keptContainerThatIsGoneIsCreatedAgain() throws IOException, InterruptedException {
    run("gone", "--init", "test -e /root/n || echo 1 >/root/n; sleep 1000");
    host.docker("stop", "-t", "5", "gone").ok();
    host.snapshots("gone");
    host.docker("rm", "gone").ok();

    String said = host.regen("restore", "gone").ok();

    assertThat(said).contains("was created again and runs");
    assertThat(host.docker("exec", "gone", "cat", "/root/n").ok()).isEqualTo("1");
    // By its id it would bring a nameless image to the next host.
    assertThat(host.docker("inspect", "-f", "{{.Config.Image}}", "gone").ok())
        .isEqualTo(Host.IMAGE);
    host.docker("rm", "-f", "gone").ok();
  }

  @Test
  void runningContainerIsCapturedWhileItIsPaused() throws IOException, InterruptedException {
    run("live", "--init", "echo 1 >/root/n; sleep 1000");
    Host.await(
        "the file", () -> host.docker("exec", "live", "cat", "/root/n").out().startsWith("1"));

    String said = host.regen("capture", "live", "--wait").ok();

    assertThat(said).startsWith("snapshot ");
    assertThat(host.docker("inspect", "-f", "{{.State.Status}}", "live").ok()).isEqualTo("running");
    List<JsonObject> snapshots = host.snapshots("live");
    assertThat(snapshots).hasSize(1);
    assertThat(snapshots.getFirst().string("reason")).isEqualTo("captured");
    host.docker("rm", "-f", "live").ok();
  }

  @Test
  void snapshotIsLookedIntoWithItsImageBelowThoughItIsRemovedMeanwhile()
      throws IOException, InterruptedException {
    host.desk("look", "echo mine >/root/mine; rm -r /lower").ok();
    host.snapshots("look");
    Path directory = Files.createDirectories(host.shared().resolve("mounted"));

    host.regen("mount", "look@latest", directory.toString()).ok();
    host.regen("rm", "--queue", "look").ok();
    String seen =
        host.shell("cd " + directory + "; cat root/mine; ls -d etc/passwd lower; cd /").out();
    host.regen("umount", directory.toString()).ok();

    assertThat(seen).isEqualTo("mine\netc/passwd\n");
    assertThat(host.shell("ls -A " + directory).ok()).isEmpty();
  }

  @Test
  void keptContainerUnderPlainRuncIsCapturedAtItsEnd() throws IOException, InterruptedException {
    host.docker(
            "run",
            "--network=none",
            "--name=plain",
            "--label=regen.queue=plain",
            Host.IMAGE,
            "sh",
            "-c",
            "echo 1 >/root/n; sleep 1; exit 3")
        .code();
    Host.await("the queue", () -> host.regen("ls", "plain").code() == 0);
    Host.await("the snapshot", () -> !host.snapshots("plain").isEmpty());

    JsonObject snapshot = host.snapshots("plain").getFirst();

    assertThat(snapshot.string("reason")).isEqualTo("exited");
    assertThat(snapshot.number("exitCode")).isEqualTo(3);
    assertThat(snapshot.string("good")).isEqualTo("no");
    host.docker("rm", "plain").ok();
  }

  private void run(String name, String option, String script)
      throws IOException, InterruptedException {
    host.docker(
            "run",
            "-d",
            "--runtime=regen",
            option,
            "--network=none",
            "--name",
            name,
            Host.IMAGE,
            "sh",
            "-c",
            script)
        .ok();
  }

  private static boolean isChosen(JsonObject snapshot) {
    return Boolean.TRUE.equals(snapshot.members().get("chosen"));
  }
}
