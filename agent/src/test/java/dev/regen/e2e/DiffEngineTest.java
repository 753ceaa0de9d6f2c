package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** {@code regen diff} beside {@code docker diff} on a real engine. */
@EngineTest
final class DiffEngineTest {
  private static final String EDITS =
      """
      echo new > /root/new; mkdir -p /tmp/d/e; echo f > /tmp/d/e/'two words'; rm /lower/deleted
      chmod 600 /etc/passwd; ln -s /nowhere /root/link; rm /bin/vi
      echo dir > /etc/x; mkdir /bin/vi; touch /bin/vi/now
      """;

  private final Host host;

  DiffEngineTest(Host host) {
    this.host = host;
  }

  @Test
  void runningContainerDiffersFromItsFirstSnapshotAsDockerSaysItDiffersFromItsImage()
      throws IOException, InterruptedException {
    host.docker(
            "run",
            "-d",
            "--runtime=regen",
            "--network=none",
            "--name=live",
            Host.IMAGE,
            "sleep",
            "999")
        .ok();
    host.regen("capture", "live", "--wait").ok();
    host.docker("exec", "live", "sh", "-ec", EDITS).ok();

    Command.Result diff = host.regen("diff", "live@latest");

    assertThat(withoutRootAndWhatIsBelowDeleted(diff.ok()))
        .isEqualTo(new TreeSet<>(host.docker("diff", "live").ok().lines().toList()));
    assertThat(diff.err()).contains("container live is running");
    assertThat(diff.out())
        .contains(
            "C mode        /etc/passwd\n",
            "C type        /bin/vi\n",
            "D -           /lower/deleted\n")
        .contains("C time        /lower\n");

    host.docker("kill", "live").ok();
    host.awaitIdle();
    assertThat(host.regen("diff", "live@latest")).isEqualTo(new Command.Result(0, "", ""));
    assertThat(host.regen("diff", "live@latest", "live@latest", "--json").ok()).isEqualTo("[]");
  }

  @Test
  void snapshotsDifferByWhatTheLastRunDid() throws IOException, InterruptedException {
    host.desk("pair", "echo a > /root/a; echo a > /root/stays; rm /lower/kept").ok();
    host.desk("pair", "echo b > /root/a; rm /root/stays; rm -r /lower").ok();
    host.snapshots("pair");

    String json = host.regen("diff", "pair@-1", "pair@latest", "--json").ok();

    List<JsonObject> changes = JsonObject.parse("{\"all\":" + json + "}").objects("all");
    assertThat(changes.stream().map(JsonObject::toString))
        .containsExactly(
            "{\"kind\":\"C\",\"path\":\"/\",\"what\":[\"time\"],\"type\":\"directory\"}",
            "{\"kind\":\"D\",\"path\":\"/lower\",\"what\":[],\"type\":\"directory\"}",
            "{\"kind\":\"D\",\"path\":\"/lower/deleted\",\"what\":[],\"type\":\"file\"}",
            "{\"kind\":\"C\",\"path\":\"/root\",\"what\":[\"time\"],\"type\":\"directory\"}",
            "{\"kind\":\"C\",\"path\":\"/root/a\",\"what\":[\"content\",\"time\"],\"type\":\"file\"}",
            "{\"kind\":\"D\",\"path\":\"/root/stays\",\"what\":[],\"type\":\"file\"}");
    assertThat(host.regen("diff", "pair@latest").code()).isEqualTo(3);
    assertThat(host.regen("diff", "pair@-7", "pair@latest").code()).isEqualTo(3);
    assertThat(host.regen("diff", "nobody@-1").code()).isEqualTo(3);
    assertThat(host.regen("diff", "pair").code()).isEqualTo(2);
  }

  /** Kinds and paths in Docker's form, which names the uppermost of what is deleted alone. */
  private static Set<String> withoutRootAndWhatIsBelowDeleted(String diff) {
    Set<String> lines =
        diff.lines()
            .map(line -> line.charAt(0) + " " + line.substring(line.indexOf('/')))
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> kept = new TreeSet<>(lines);
    kept.removeIf(
        line -> lines.contains(line.substring(0, line.lastIndexOf('/'))) && line.startsWith("D"));
    kept.remove("C /");
    return kept;
  }
}
