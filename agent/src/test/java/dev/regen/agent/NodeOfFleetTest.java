package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.api.Role;
import dev.regen.agent.fleet.Fleet;
import dev.regen.agent.fleet.FleetClient;
import dev.regen.agent.fleet.db.FleetUrl;
import dev.regen.agent.registry.ManagerOptions;
import dev.regen.agent.registry.ManagerServer;
import dev.regen.agent.tcp.Listening;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A real agent as a node of a real manager's fleet, which may be away. */
final class NodeOfFleetTest extends AgentWithoutEngine {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  @SuppressWarnings("NullAway.Init")
  private ManagerServer manager;

  @SuppressWarnings("NullAway.Init")
  private FleetClient admin;

  @SuppressWarnings("NullAway.Init")
  private JsonObject configuration;

  /** The manager is there before the agent, and the agent's token with it. */
  @Override
  JsonObject configuration() {
    try {
      if (configuration == null) {
        manager = manager(0);
        String token = Fleet.token(database(), InstantSource.system(), "root", Role.ADMIN);
        admin = new FleetClient(manager.uri(), token);
        JsonObject added = admin.post("/v1/nodes", new JsonObject().with("name", "n1")).json();
        tokenFile(added.string("token"));
        configuration =
            super.configuration()
                .with("manager", manager.uri() + "?token-file=" + directory.resolve("token"))
                .with("node", "n1");
      }
      return configuration;
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @AfterEach
  void stopManager() throws IOException {
    // The agent goes first, by the base class: nothing here may wait for the other.
    admin.close();
    manager.close();
  }

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

    assertThat(regen("rm", "desk@-1").code()).isZero();

    awaits(() -> alarms().size(), 1);
    assertThat(words(alarms().getFirst(), "kind", "what", "queue", "by"))
        .isEqualTo("removed snapshot desk local");
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
    awaits(() -> setting(path, "keep"), "3 local");

    admin.send("PUT", path, "{\"name\":\"keep\",\"value\":9}");
    admin.send("PUT", path, "{\"name\":\"label:team\",\"value\":\"blue\"}");

    awaits(() -> array(regen("ls", "--json")).getFirst().number("length"), 9L);
    awaits(() -> setting(path, "label:team"), "blue root");
    assertThat(setting(path, "keep")).isEqualTo("9 root");
    assertThat(regen("events").out())
        .contains("setting-lost")
        .contains("'9' (root")
        .contains("'3' (local");
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

    awaits(() -> setting("/v1/nodes/n1/queues/desk/settings", "keep"), "4 local");
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

  private ManagerServer manager(int port) throws IOException {
    Listening here =
        new Listening(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), port), null, null, null);
    return new ManagerServer(
        new ManagerOptions(here, null, null, null, null, null, null, database()));
  }

  private FleetUrl database() {
    return new FleetUrl.Sqlite(directory.resolve("fleet.db"));
  }

  private void tokenFile(String token) throws IOException {
    Path file = Files.writeString(directory.resolve("token"), token + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
  }

  private String ask(String operation, JsonObject parts, String body) throws Exception {
    FleetClient.Answer answer =
        admin.post(
            "/v1/nodes/n1/jobs",
            new JsonObject()
                .with("operation", operation)
                .with("parts", parts)
                .with("body", JsonObject.parse(body)));
    assertThat(answer.status()).as("%s", answer).isEqualTo(202);
    return answer.json().string("id");
  }

  private JsonObject ended(String job) throws Exception {
    return admin.get("/v1/jobs/" + job + "?waitMillis=20000").json();
  }

  private JsonObject mirrored(String queue) throws Exception {
    return admin.get("/v1/nodes/n1/queues/" + queue).json();
  }

  private String setting(String path, String name) throws Exception {
    for (JsonObject one : admin.get(path).json().objects("settings")) {
      if (one.string("name").equals(name)) {
        return one.members().get("value") + " " + one.string("changedBy");
      }
    }
    return "";
  }

  private List<JsonObject> alarms() throws Exception {
    return admin.get("/v1/alarms").json().objects("alarms");
  }

  private static String words(JsonObject json, String... members) throws IOException {
    StringBuilder words = new StringBuilder();
    for (String member : members) {
      words.append(words.isEmpty() ? "" : " ").append(json.string(member));
    }
    return words.toString();
  }

  private interface Look {
    @Nullable Object now() throws Exception;
  }

  private static void awaits(Look look, Object expected) throws Exception {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    @Nullable Object seen = look.now();
    while (!expected.equals(seen) && System.nanoTime() < deadline) {
      Thread.sleep(20);
      seen = look.now();
    }
    assertThat(seen).isEqualTo(expected);
  }
}
