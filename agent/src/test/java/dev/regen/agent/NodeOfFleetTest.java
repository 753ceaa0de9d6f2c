package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.fleet.FleetClient;
import dev.regen.runtime.json.JsonObject;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A node whose manager asks, is asked, is away, or does not know it. */
final class NodeOfFleetTest extends AgentInFleet {
  @Test
  void whatTheManagerAsksForIsDoneHereAndShownThere() throws Exception {
    spool("desk", NINE, "one");
    awaitIdle();

    JsonObject done = ended(ask("setKeep", new JsonObject().with("queue", "desk"), "{\"keep\":7}"));

    assertThat(done.string("state")).as("%s", done).isEqualTo("success");
    awaits(() -> mirrored("desk").members().get("keep"), 7L);
    assertThat(mirrored("desk").objects("snapshots")).hasSize(1);
    assertThat(array(regen("jobs", "--json")).getLast().string("state")).isEqualTo("success");
  }

  @Test
  void messageForWhatIsGoneFailsWithTheReason() throws Exception {
    JsonObject done = ended(ask("removeQueue", new JsonObject().with("queue", "gone"), "{}"));

    assertThat(done.string("state")).isEqualTo("failed");
    assertThat(done.string("code")).isEqualTo("not_found");
    assertThat(done.string("message")).contains("no queue 'gone'");
  }

  @Test
  void refusalBeforeAnythingBeganFailsWithTheReason() throws Exception {
    JsonObject done =
        ended(ask("captureContainer", new JsonObject().with("container", "nobody"), "{}"));

    assertThat(done.string("code")).isEqualTo("engine_away");
  }

  @Test
  void whatIsBegunHereIsAnnouncedAndFollowed() throws Exception {
    assertThat(regen("verify").code()).isZero();

    awaits(
        () -> {
          List<JsonObject> jobs = admin.get("/v1/jobs?node=n1").json().objects("jobs");
          return jobs.isEmpty() ? "" : words(jobs.getFirst(), "origin", "kind", "state");
        },
        "node verify success");
  }

  @Test
  void deletionHereRaisesAnAlarmThere() throws Exception {
    spool("desk", NINE, "one");
    spool("desk", NINE.plusSeconds(1), "two");
    awaitIdle();
    awaits(() -> mirrored("desk").objects("snapshots").size(), 2);
    assertThat(admin.get("/v1/nodes/n1").json().number("queues")).isEqualTo(1);

    assertThat(regen("rm", "desk@-1").code()).isZero();

    awaits(() -> alarms().size(), 1);
    assertThat(words(alarms().getFirst(), "kind", "what", "queue", "by"))
        .isEqualTo("removed snapshot desk unix:root");
    awaits(() -> mirrored("desk").objects("snapshots").size(), 1);
  }

  @Test
  void evictionRaisesNoAlarm() throws Exception {
    spool("desk", NINE, "one");
    spool("desk", NINE.plusSeconds(1), "two");
    awaitIdle();

    assertThat(regen("keep", "desk", "1").code()).isZero();

    awaits(() -> mirrored("desk").objects("snapshots").size(), 1);
    assertThat(alarms()).isEmpty();
  }

  @Test
  void laterChangeOfASettingWinsOnBothSides() throws Exception {
    spool("desk", NINE, "one");
    awaitIdle();
    String path = "/v1/nodes/n1/queues/desk/settings";
    awaits(() -> mirrored("desk").has("name"), true);
    assertThat(regen("keep", "desk", "3").code()).isZero();
    awaits(() -> setting(path, "keep"), "3 unix:root");

    admin.send("PUT", path, "{\"name\":\"keep\",\"value\":9}");
    admin.send("PUT", path, "{\"name\":\"label:team\",\"value\":\"blue\"}");

    awaits(() -> array(regen("ls", "--json")).getFirst().number("length"), 9L);
    awaits(() -> setting(path, "label:team"), "blue root");
    assertThat(setting(path, "keep")).isEqualTo("9 root");
    assertThat(regen("events").out())
        .contains("setting-lost")
        .contains("'9' (root")
        .contains("'3' (unix:root");
  }

  @Test
  void labelThatIsChangedHereIsShownThere() throws Exception {
    spool("desk", NINE, "one");
    awaitIdle();
    String path = "/v1/nodes/n1/queues/desk/settings";

    assertThat(regen("label", "desk", "team=green", "policy:push=never").err()).isEmpty();
    awaits(() -> setting(path, "label:team"), "green unix:root");
    admin.send("PUT", path, "{\"name\":\"label:team\",\"value\":\"red\"}");

    awaits(() -> regen("label", "desk").out().contains("red"), true);
    assertThat(array(regen("label", "desk", "--json"))).hasSize(2);
    assertThat(regen("label", "desk", "team=").code()).isZero();
    assertThat(array(regen("label", "desk", "--json"))).hasSize(1);
    awaits(() -> setting(path, "label:team"), "");
  }

  @Test
  void settingThatTheNodeCannotTakeStaysAsItIsThere() throws Exception {
    spool("desk", NINE, "one");
    awaitIdle();
    String path = "/v1/nodes/n1/queues/desk/settings";
    String gone = "pin:" + "ab".repeat(16);

    admin.send("PUT", path, "{\"name\":\"" + gone + "\",\"value\":true}");

    awaits(() -> setting(path, gone), "false node");
    assertThat(regen("events").out()).contains("setting-refused");
  }

  @Test
  void changesOnBothSidesWhileTheManagerWasAwayMeet() throws Exception {
    spool("desk", NINE, "one");
    awaitIdle();
    awaits(() -> mirrored("desk").has("name"), true);
    int port = manager.uri().getPort();
    String asked = "/v1/nodes/n1/jobs";
    admin.close();
    manager.close();

    assertThat(regen("keep", "desk", "4").code()).isZero();
    assertThat(regen("doctor").out()).contains("not connected since");
    manager = manager(port);
    admin = new FleetClient(manager.uri(), admin.token());

    awaits(() -> setting("/v1/nodes/n1/queues/desk/settings", "keep"), "4 unix:root");
    awaits(() -> mirrored("desk").members().get("keep"), 4L);
    assertThat(admin.get("/v1/jobs").status()).as(asked).isEqualTo(200);
  }

  @Test
  void agentThatIsAwayDoesWhatWasAskedMeanwhileOnce() throws Exception {
    spool("desk", NINE, "one");
    awaitIdle();
    agent.close();
    String job = ask("setKeep", new JsonObject().with("queue", "desk"), "{\"keep\":6}");

    agent = started();

    assertThat(ended(job).string("state")).isEqualTo("success");
    assertThat(array(regen("jobs", "--json")).stream().filter(one -> one.has("idempotencyKey")))
        .hasSize(1);
  }

  @Test
  void wrongTokenIsToldByTheDoctorWithWhatToDo() throws Exception {
    agent.close();
    tokenFile("regen-node-0123456789012345678901234567890123456789012");

    agent = started();

    awaits(() -> regen("doctor").out().contains("regen fleet add-node n1"), true);
    assertThat(regen("ls").code()).isZero();
  }

  @Test
  void forgedNameIsToldByTheDoctorWithWhatToDo() throws Exception {
    agent.close();
    configuration.with("node", "n2");
    admin.post("/v1/nodes", new JsonObject().with("name", "n2"));

    agent = started();

    awaits(() -> regen("doctor").out().contains("--node NAME"), true);
    awaits(() -> alarms().isEmpty() ? "" : alarms().getFirst().string("kind"), "forged_name");
  }
}
