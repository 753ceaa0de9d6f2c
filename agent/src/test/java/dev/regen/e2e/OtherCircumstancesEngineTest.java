package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The next run is another one: other volumes, user, command; many layers; a busy mount. */
@EngineTest
final class OtherCircumstancesEngineTest {
  private final Host host;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path outside;

  OtherCircumstancesEngineTest(Host host) {
    this.host = host;
  }

  @Test
  void fileThenDirectoryThenNothingMountedAtOnePlace() throws IOException, InterruptedException {
    Path file = Files.writeString(outside.resolve("file"), "file\n");
    Path directory = Files.createDirectories(outside.resolve("dir"));
    Files.writeString(directory.resolve("inside"), "inside\n");

    assertThat(with("volumes", "cat /cfg; echo a >/root/a", "-v", file + ":/cfg").ok())
        .isEqualTo("file");
    assertThat(with("volumes", "cat /cfg/inside /root/a", "-v", directory + ":/cfg").ok())
        .isEqualTo("inside\na");
    assertThat(with("volumes", "ls -d /cfg || cat /root/a").ok()).isEqualTo("a");
    assertThat(with("volumes", "cat /cfg; cat /root/a", "-v", file + ":/cfg").ok())
        .isEqualTo("file\na");
  }

  @Test
  void anotherUserHostnameCommandAndReadOnlyRoot() throws IOException, InterruptedException {
    with("other", "echo a >/tmp/a; chmod 644 /tmp/a").ok();

    assertThat(with("other", "id -u; cat /tmp/a", "--user=7").ok()).isEqualTo("7\na");
    assertThat(with("other", "hostname; cat /tmp/a", "--hostname=elsewhere").ok())
        .isEqualTo("elsewhere\na");
    assertThat(with("other", "pwd; cat /tmp/a", "--workdir=/made/here").ok())
        .isEqualTo("/made/here\na");
    assertThat(with("other", "cat /tmp/a; touch /tmp/b", "--read-only").out()).isEqualTo("a\n");
    assertThat(with("other", "cat /tmp/a; ls /tmp").ok()).isEqualTo("a\na");
  }

  @Test
  @Tag("long")
  void imageOfAHundredLayersIsMountedAgain() throws IOException, InterruptedException {
    host.docker("tag", Host.IMAGE, "layered").ok();
    for (int layer = 0; layer < 100; layer++) {
      host.docker("run", "--network=none", "--name=layer", "layered", "touch", "/l" + layer).ok();
      host.docker("commit", "layer", "layered").ok();
      host.docker("rm", "layer").ok();
    }
    run("many", "layered", "echo a >/root/a; rm /l50").ok();

    String seen = run("many", "layered", "cat /root/a; ls -d /l* | wc -l").ok();

    assertThat(seen).isEqualTo("a\n100");
  }

  @Test
  void workingDirectoryOfAHostProcessInsideTheRootIsNoHindrance()
      throws IOException, InterruptedException {
    host.desk("busy", "echo a >/root/a").ok();
    String id =
        host.docker(
                "create",
                "--runtime=regen",
                "--network=none",
                "--name=busy",
                Host.IMAGE,
                "sh",
                "-c",
                "cat /root/a; sleep 1")
            .ok();
    String start = "docker -H unix://" + host.dataRoot().resolveSibling("docker.sock");
    String script =
        start + " start busy; cd $(ls -d %s/overlay2/*/merged | head -1); exec sleep 30";
    Process busy = new ProcessBuilder("sh", "-c", script.formatted(host.dataRoot())).start();
    try {
      Host.await("the first run to end", () -> status(id).equals("exited"));
      host.docker("start", "busy").ok();
      Host.await("the second run to end", () -> status(id).equals("exited"));
      assertThat(host.docker("logs", "busy").ok()).isEqualTo("a\na");
    } finally {
      busy.destroyForcibly();
      host.docker("rm", "-f", "busy");
    }
  }

  @Test
  void anonymousVolumesThatRmThrowsAwayAreSaid() throws IOException, InterruptedException {
    with("anonymous", "echo a >/data/a", "-v", "/data").ok();

    host.awaitIdle();
    assertThat(host.regen("events").ok()).contains("anonymous volumes at /data");
    assertThat(host.regen("show", "anonymous").ok()).contains("anonymous volume at /data");
  }

  @Test
  void secondContainerUnderARunningQueuesNameIsRefused() throws IOException, InterruptedException {
    host.docker(
            "run",
            "-d",
            "--rm",
            "--runtime=regen",
            "--network=none",
            "--name=taken",
            Host.IMAGE,
            "sleep",
            "100")
        .ok();

    var second = with("second", "true", "--label=regen.queue=taken");

    assertThat(second.code()).isNotZero();
    assertThat(second.err()).contains("queue taken is in use by the running container taken");
    host.docker("rm", "-f", "taken").ok();
    assertThat(with("third", "true", "--label=regen.queue=taken").code()).isZero();
  }

  @Test
  void generatedNamesHaveNoQueueAndOddOnesAreSaid() throws IOException, InterruptedException {
    host.desk("focused_turing", "true").ok();
    host.desk("dev_box.1-a", "true").ok();
    var odd = with("odd", "true", "--label=regen.queue=../../etc");

    assertThat(host.regen("ls").ok()).doesNotContain("focused_turing").contains("dev_box.1-a");
    assertThat(odd.code()).isNotZero();
    assertThat(odd.err()).contains("is no name for a queue");
    assertThat(host.regen("events").ok()).contains("is no name for a queue");
  }

  @Test
  void otherImageStartsCleanUnlessAskedToRebase() throws IOException, InterruptedException {
    host.desk("image", "echo a >/root/a; echo mine >/lower/kept; rm /lower/deleted").ok();
    host.docker(
            "run",
            "--network=none",
            "--name=other",
            Host.IMAGE,
            "sh",
            "-c",
            "touch /new; echo theirs >/lower/kept")
        .ok();
    host.docker("commit", "other", "newer").ok();
    host.docker("rm", "other").ok();

    assertThat(run("image", "newer", "ls /root", "--label=regen.on-image-change=refuse").err())
        .contains("is another than its newest snapshot's");
    assertThat(
            run("image", "newer", "cat /root/a; ls /new", "--label=regen.on-image-change=rebase")
                .ok())
        .isEqualTo("a\n/new");
    assertThat(host.regen("events", "image").ok())
        .contains("both changed, and the container's stays: /lower/kept\n");
    host.snapshots("image");
    assertThat(host.regen("show", "image@latest", "--json").ok())
        .contains("\"bothChanged\":[\"/lower/kept\"],\"cut\":false");
    assertThat(host.desk("image", "ls /root").ok()).isEmpty();
    assertThat(host.snapshots("image")).hasSizeGreaterThanOrEqualTo(2);
  }

  private Command.Result with(String queue, String script, String... options)
      throws IOException, InterruptedException {
    return run(queue, Host.IMAGE, script, options);
  }

  private Command.Result run(String queue, String image, String script, String... options)
      throws IOException, InterruptedException {
    List<String> words =
        new ArrayList<>(
            List.of("run", "--runtime=regen", "--rm", "--network=none", "--name", queue));
    words.addAll(List.of(options));
    words.addAll(List.of(image, "sh", "-c", script));
    return host.docker(words.toArray(String[]::new));
  }

  private String status(String id) throws IOException, InterruptedException {
    return host.docker("inspect", "-f", "{{.State.Status}}", id).out().strip();
  }
}
