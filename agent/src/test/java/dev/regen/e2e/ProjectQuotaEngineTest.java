package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Layers on XFS that each have a project of their own, as {@code --storage-opt size=} makes them:
 * no tree can be renamed or linked into them.
 *
 * <p>The project is given by hand, with the flag that passes it on, so that it is there on kernels
 * without quotas too; only these two say what may be renamed.
 */
@EngineTest(fileSystem = "xfs")
final class ProjectQuotaEngineTest {
  private final Host host;
  private int project = 100;

  ProjectQuotaEngineTest(Host host) {
    this.host = host;
  }

  @Test
  void threeRunsEachSeeFilesAndDeletionsOfTheOneBefore() throws IOException, InterruptedException {
    limited(
        "desk",
        "--rm",
        "echo 1 >/root/n; ln /root/n /root/again; rm /lower/deleted; rm -r /tmp; mkdir /tmp");
    assertThat(start("desk")).isEmpty();
    String look = "cat /root/n; stat -c %h /root/again; ls -d /lower/* /tmp /t; echo t >/t; true";
    limited("desk", "--rm", look);
    String second = start("desk");
    limited("desk", "--rm", look);

    assertThat(second).isEqualTo("1\n2\n/lower/kept\n/tmp");
    assertThat(start("desk")).isEqualTo("1\n2\n/lower/kept\n/t\n/tmp");
    assertThat(host.snapshots("desk")).hasSize(3);
    assertThat(host.regen("events").ok()).contains("of which it has a copy", "project quota");
  }

  @Test
  void stateThatWaitsIsNotChargedToTheLimitItWasMadeUnder()
      throws IOException, InterruptedException {
    limited("charged", "--rm", "echo 1 >/root/n; mkdir /root/d; echo 2 >/root/d/m");
    start("charged");

    host.snapshots("charged");

    Path staging = host.dataRoot().resolve("regen-staging");
    Host.await(
        "nothing of it to be there",
        () ->
            Command.run(Map.of(), "lsattr", "-pR", staging.toString())
                .out()
                .lines()
                .noneMatch(line -> line.matches(" *[1-9]\\d* .*")));
  }

  @Test
  void keptContainerGoesOnAndIsRestoredInPlaceWithinItsLimit()
      throws IOException, InterruptedException {
    int limit = limited("kept", "--init", "test -e /root/n || echo 1 >/root/n; sleep 1000");
    host.docker("start", "kept").ok();
    Host.await("the file", () -> host.docker("exec", "kept", "cat", "/root/n").code() == 0);
    host.docker("stop", "-t", "5", "kept").ok();
    assertThat(host.snapshots("kept")).hasSize(1);
    host.docker("start", "kept").ok();
    host.docker("exec", "kept", "sh", "-c", "echo 2 >/root/n; rm /lower/kept; mkdir /later").ok();
    String id = host.docker("inspect", "-f", "{{.Id}}", "kept").ok();

    host.regen("restore", "kept").ok();

    assertThat(host.docker("inspect", "-f", "{{.Id}}", "kept").ok()).isEqualTo(id);
    assertThat(
            host.docker("exec", "kept", "sh", "-c", "cat /root/n; ls -d /lower/kept /later; true")
                .ok())
        .isEqualTo("1\n/lower/kept");
    assertThat(Command.run(Map.of(), "lsattr", "-p", layer("kept") + "/diff/root/n").ok())
        .startsWith(String.valueOf(limit));
    assertThat(host.shell("ls -a " + layer("kept")).ok()).doesNotContain(".regen");
    assertThat(host.snapshots("kept")).hasSize(2);
    host.docker("rm", "-f", "kept").ok();
    limited("kept", "--rm", "cat /root/n");
    assertThat(start("kept")).isEqualTo("1");
  }

  @Test
  void doctorSaysThatStatesAreCopied() throws IOException, InterruptedException {
    limited("looked-at", "--rm", "true");

    assertThat(host.regen("doctor").out()).contains("layers with a size limit");
    host.docker("rm", "looked-at").ok();
  }

  /** Creates a container whose layer has a project; returns which. */
  private int limited(String name, String option, String script)
      throws IOException, InterruptedException {
    host.docker(
            "create",
            "--runtime=regen",
            option,
            "--network=none",
            "--name=" + name,
            Host.IMAGE,
            "sh",
            "-c",
            script)
        .ok();
    int given = project++;
    List<String> words = new ArrayList<>(List.of("chattr", "+P", "-p", String.valueOf(given)));
    for (String directory : List.of("", "/diff", "/work")) {
      words.add(layer(name) + directory);
    }
    new Command(words, Map.of()).run().ok();
    return given;
  }

  private String start(String name) throws IOException, InterruptedException {
    return host.docker("start", "-a", name).ok();
  }

  private String layer(String name) throws IOException, InterruptedException {
    String upper = host.docker("inspect", "-f", "{{.GraphDriver.Data.UpperDir}}", name).ok();
    return String.valueOf(Path.of(upper).getParent());
  }
}
