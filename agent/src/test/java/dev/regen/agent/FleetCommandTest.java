package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code regen fleet} against a manager with one node. */
final class FleetCommandTest extends AgentInFleet {
  @Test
  void nodeIsAddedListedAndRemoved() throws Exception {
    String token = fleet("add-node", "n2").out().strip();

    assertThat(token).startsWith("rgn_");
    assertThat(fleet("nodes").out())
        .containsPattern("n1 +connected")
        .containsPattern("n2 +never-seen");
    assertThat(fleet("renew-node", "n2").out()).startsWith("rgn_").doesNotContain(token);
    assertThat(fleet("rm-node", "n2").code()).isZero();
    assertThat(array(fleet("nodes", "--json"))).hasSize(1);
    assertThat(fleet("audit").out()).contains("addNode").contains("removeNode");
  }

  @Test
  void operationIsRunAndFollowedToItsEnd() throws Exception {
    spool("desk", NINE, "one");
    awaitIdle();

    Result done = fleet("run", "n1", "setKeep", "queue=desk", "keep=8");
    Result gone = fleet("run", "n1", "removeQueue", "queue=gone");

    assertThat(done.code()).as(done.err()).isZero();
    assertThat(array(regen("ls", "--json")).getFirst().number("length")).isEqualTo(8);
    assertThat(gone.code()).isEqualTo(3);
    assertThat(gone.err()).startsWith("regen: no queue 'gone'").hasLineCount(1);
    awaits(() -> fleet("ls", "n1").out().contains("1/8"), true);
    assertThat(fleet("ls", "n1", "desk").out()).contains("complete");
    assertThat(fleet("jobs", "n1", "--state", "failed").out()).contains("no queue 'gone'");
  }

  @Test
  void alarmIsListedUntilItIsAcknowledged() throws Exception {
    spool("desk", NINE, "one");
    awaitIdle();
    assertThat(regen("rm", "desk@latest").code()).isZero();
    awaits(() -> array(fleet("alarms", "--json")).size(), 1);

    String alarm = array(fleet("alarms", "--json")).getFirst().string("id");
    assertThat(fleet("ack", alarm).code()).isZero();

    assertThat(array(fleet("alarms", "--json"))).isEmpty();
    assertThat(fleet("alarms", "--all").out()).contains("seen by root");
  }

  @Test
  void settingsAreChangedAndShown() throws Exception {
    spool("desk", NINE, "one");
    awaitIdle();

    assertThat(fleet("set", "n1", "desk", "label:team=blue", "keep=7").code()).isZero();
    assertThat(fleet("set", "startDeadlineSeconds=30").code()).isZero();

    assertThat(fleet("settings", "n1", "desk").out())
        .containsPattern("label:team +blue")
        .containsPattern("keep +7");
    assertThat(fleet("settings").out()).containsPattern("startDeadlineSeconds +30");
    assertThat(fleet("events", "-n", "0").code()).isZero();
  }

  @Test
  void wrongUsageSaysWhatIsRight() throws Exception {
    for (String wrong :
        List.of(
            "add-node|bad name",
            "add-token|x|--role|god",
            "run|n1|captureContainer",
            "set|n1|desk|keep=0",
            "set|n1|no/q|keep=3",
            "set|n1|desk|bogus=1",
            "set|startDeadlineSeconds=-1",
            "settings|n1")) {
      String[] words = wrong.split("\\|", 2);
      Result refused = fleet(words[0], words[1].split("\\|", -1));
      assertThat(refused.code()).as("%s: %s", wrong, refused.err()).isEqualTo(2);
      assertThat(refused.err()).hasLineCount(1);
    }
    assertThat(regen("token", "add", "q", "--role", "bogus").code()).isEqualTo(2);
    assertThat(fleet("run", "n1", "stayQueue", "queue=desk").code()).isEqualTo(4);
    assertThat(regen("manager", "--listen", "0.0.0.0:0", "--fleet", "sqlite:/none/fleet.db").err())
        .contains("--insecure-http")
        .hasLineCount(1);
    assertThat(fleet("run", "n1", "makeKey").err()).contains("captureContainer");
    assertThat(fleet("run", "n1", "setKeep", "queue=q", "kep=1").err()).contains("keep, queue");
    assertThat(regen("fleet", "nodes").err()).contains("REGEN_MANAGER").hasLineCount(1);
    assertThat(regen("fleet", "nodes", "--manager", manager.uri().toString()).err())
        .contains("--token-file")
        .hasLineCount(1);
    assertThat(regen("fleet", "nodes", "--manager", "http://127.0.0.1:1").err())
        .contains("does not answer")
        .hasLineCount(1);
  }

  private Result fleet(String command, String... arguments) throws IOException {
    Path token = directory.resolve("admin-token");
    Files.writeString(token, String.valueOf(admin.token()));
    Files.setPosixFilePermissions(token, PosixFilePermissions.fromString("rw-------"));
    List<String> words =
        new ArrayList<>(
            List.of("fleet", command, "--manager=" + manager.uri(), "--token-file=" + token));
    words.addAll(List.of(arguments));
    return regen(words.toArray(new String[0]));
  }
}
