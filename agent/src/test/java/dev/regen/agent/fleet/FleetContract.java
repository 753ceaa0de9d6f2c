package dev.regen.agent.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.agent.api.Role;
import dev.regen.agent.fleet.db.FleetUrl;
import dev.regen.agent.registry.ManagerOptions;
import dev.regen.agent.registry.ManagerServer;
import dev.regen.agent.tcp.Listening;
import dev.regen.runtime.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a fleet promises over HTTP, whatever its database is. */
abstract class FleetContract {
  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @SuppressWarnings("NullAway.Init")
  private FleetUrl url;

  @SuppressWarnings("NullAway.Init")
  private ManagerServer server;

  @SuppressWarnings("NullAway.Init")
  private FleetClient admin;

  /** An empty database. */
  abstract String database(Path directory) throws Exception;

  @BeforeEach
  void start() throws Exception {
    url = FleetUrl.parse(database(directory));
    server = manager();
    String token = Fleet.token(url, InstantSource.system(), "root", Role.ADMIN);
    admin = new FleetClient(server.uri(), token);
  }

  @AfterEach
  void stop() throws IOException {
    admin.close();
    server.close();
  }

  @Test
  void whatIsAskedForReachesTheNodeAndItsStateComesBack() throws Exception {
    String token = addNode("n1");
    try (SimulatedNode node = connect("n1", token, 0)) {
      String job = capture("n1");
      SimulatedNode.Heard message = node.next();
      assertThat(message.json().string("id")).isEqualTo(job);
      assertThat(message.json().string("operation")).isEqualTo("captureContainer");
      assertThat(message.json().string("askedBy")).isEqualTo("root");

      node.report(job, "waiting", 1);
      node.report(job, "running", 2);
      assertThat(state(job)).isEqualTo("running");
      node.report(job, "success", 3);

      JsonObject done = admin.get("/v1/jobs/" + job + "?waitMillis=1000").json();
      assertThat(done.string("state")).isEqualTo("success");
      assertThat(done.has("sentAt") && done.has("takenAt") && done.has("endedAt")).isTrue();
    }
  }

  @Test
  void jobBegunOnTheNodeIsAnnouncedAndFollowed() throws Exception {
    String token = addNode("n1");
    try (SimulatedNode node = connect("n1", token, 0)) {
      node.report(SimulatedNode.job(null, "j7", "waiting", 1));
      node.report(SimulatedNode.job(null, "j7", "success", 3));
      node.report(SimulatedNode.job(null, "j7", "running", 2));

      List<JsonObject> jobs = admin.get("/v1/jobs?node=n1").json().objects("jobs");

      assertThat(jobs).hasSize(1);
      assertThat(jobs.getFirst().string("state")).isEqualTo("success");
      assertThat(jobs.getFirst().string("origin")).isEqualTo("node");
    }
  }

  @Test
  void idsOfJobsOfANodeMayComeAgain() throws Exception {
    String token = addNode("n1");
    try (SimulatedNode node = connect("n1", token, 0)) {
      for (String askedAt : List.of("2026-11-23T10:00:00Z", "2026-12-23T10:00:00Z")) {
        JsonObject report = SimulatedNode.job(null, "j7", "success", 3);
        report.object("job").with("askedAt", askedAt);
        node.report(report);
        node.report(report);
      }
    }

    assertThat(admin.get("/v1/jobs?node=n1").json().objects("jobs")).hasSize(2);
  }

  @Test
  void nodeThatLostAJobThatItHadBegunDoesNotBeginItAgain() throws Exception {
    String token = addNode("n1");
    try (SimulatedNode node = connect("n1", token, 0)) {
      String job = capture("n1");
      node.next();
      node.report(SimulatedNode.job(job, "fleet:" + job, "waiting", 0));
      node.report(job, "running", 2);

      FleetClient.Answer again = node.report(SimulatedNode.job(job, "fleet:" + job, "waiting", 0));

      assertThat(again.json().strings("withdrawn")).containsExactly(job);
      assertThat(admin.get("/v1/jobs/" + job).json().string("code")).isEqualTo("interrupted");
    }
  }

  @Test
  void messageIsSentAgainUntilTheNodeHasReportedIt() throws Exception {
    String token = addNode("n1");
    String job = capture("n1");
    long seq;
    try (SimulatedNode node = connect("n1", token, 0)) {
      seq = node.next().seq();
    }
    try (SimulatedNode node = connect("n1", token, seq)) {
      assertThat(node.next().json().string("id")).isEqualTo(job);
      node.report(job, "waiting", 1);
    }
    try (SimulatedNode node = connect("n1", token, seq)) {
      assertThat(node.silentFor(Duration.ofMillis(500))).isTrue();
    }
  }

  @Test
  void newestConnectionReplacesTheOneBefore() throws Exception {
    String token = addNode("n1");
    try (SimulatedNode before = connect("n1", token, 0);
        SimulatedNode after = connect("n1", token, 0)) {
      assertThat(before.endsWithin(Duration.ofSeconds(5))).isTrue();
      String job = capture("n1");
      assertThat(after.next().json().string("id")).isEqualTo(job);
      assertThat(admin.get("/v1/nodes/n1").json().string("state")).isEqualTo("connected");
    }
  }

  /** A host that loses its power says no good-bye, and its connection stays open for long. */
  @Test
  @Tag("long")
  void nodeThatFallsSilentIsAwayAndOneThatNeverSpokeIsNot() throws Exception {
    String token = addNode("n1");
    String other = addNode("n2");
    String third = addNode("n3");
    try (SimulatedNode node = connect("n1", token, 0);
        SimulatedNode _ = connect("n2", other, 0);
        SimulatedNode busy = connect("n3", third, 0)) {
      assertThat(node.report().status()).isEqualTo(200);
      assertThat(busy.report().status()).isEqualTo(200);

      assertThat(node.endsWithin(Duration.ofSeconds(25))).isFalse();
      busy.report(SimulatedNode.job(null, "j7", "running", 1));
      assertThat(node.endsWithin(Duration.ofSeconds(20))).isTrue();

      assertThat(busy.endsWithin(Duration.ofSeconds(5))).as("who has much to tell lives").isFalse();
      assertThat(admin.get("/v1/nodes/n1").json().string("state")).isEqualTo("away");
      assertThat(admin.get("/v1/nodes/n2").json().string("state")).isEqualTo("connected");
    }
  }

  @Test
  void whatWasWithdrawnIsNeverDelivered() throws Exception {
    String token = addNode("n1");
    String cancelled = capture("n1");
    assertThat(admin.send("DELETE", "/v1/jobs/" + cancelled, null).json().string("code"))
        .isEqualTo("cancelled");
    admin.send("PUT", "/v1/settings", "{\"awayDeadlineSeconds\":1}");
    String late = capture("n1");

    JsonObject failed = admin.get("/v1/jobs/" + late + "?waitMillis=10000").json();

    assertThat(failed.string("code")).isEqualTo("not_started");
    try (SimulatedNode node = connect("n1", token, 0)) {
      assertThat(node.silentFor(Duration.ofMillis(500))).isTrue();
    }
  }

  @Test
  void nodeThatTookAMessageTooLateIsToldNotToBegin() throws Exception {
    String token = addNode("n1");
    admin.send("PUT", "/v1/settings", "{\"startDeadlineSeconds\":1}");
    try (SimulatedNode node = connect("n1", token, 0)) {
      String job = capture("n1");
      node.next();
      assertThat(admin.get("/v1/jobs/" + job + "?waitMillis=10000").json().string("code"))
          .isEqualTo("not_started");
      assertThat(node.next().json().string("kind")).isEqualTo("cancel");

      assertThat(node.report(job, "waiting", 1).json().strings("withdrawn")).containsExactly(job);
      node.report(job, "running", 2);

      assertThat(state(job)).isEqualTo("failed");
      assertThat(alarms().getFirst().string("kind")).isEqualTo("ran_late");
    }
  }

  @Test
  void cancelOfWhatRunsGoesToTheNode() throws Exception {
    String token = addNode("n1");
    try (SimulatedNode node = connect("n1", token, 0)) {
      String job = capture("n1");
      node.next();
      node.report(job, "running", 1);

      assertThat(admin.send("DELETE", "/v1/jobs/" + job, null).status()).isEqualTo(202);

      JsonObject message = node.next().json();
      assertThat(message.string("kind")).isEqualTo("cancel");
      assertThat(message.object("parts").string("job")).isEqualTo(job);
    }
  }

  @Test
  void sameIdempotencyKeyIsTheSameJob() throws Exception {
    addNode("n1");
    String body = "{\"operation\":\"captureContainer\",\"parts\":{\"container\":\"desk\"}}";
    String path = "/v1/nodes/n1/jobs";

    FleetClient.Answer first = admin.send("POST", path, body, "Idempotency-Key", "k1");
    FleetClient.Answer again = admin.send("POST", path, body, "Idempotency-Key", "k1");
    FleetClient.Answer other =
        admin.send("POST", path, body.replace("desk", "lamp"), "Idempotency-Key", "k1");

    assertThat(first.status()).isEqualTo(202);
    assertThat(again.json().string("id")).isEqualTo(first.json().string("id"));
    assertThat(other.status()).isEqualTo(409);
  }

  @Test
  void everyListAnswersAsDocumented() throws Exception {
    addNode("n1");
    capture("n1");
    String lists = "openapi.json operations nodes jobs alarms settings tokens audit";
    for (String path : List.of(lists.split(" ", -1))) {
      assertThat(admin.get("/v1/" + path).status()).as(path).isEqualTo(200);
    }
    assertThat(admin.send("POST", "/v1/nodes/n1/token", null).status()).isEqualTo(200);
    assertThat(admin.get("/v1/jobs?limit=0").status()).isEqualTo(400);
    assertThat(admin.get("/v1/nothing").status()).isEqualTo(404);
  }

  @Test
  void whatCannotBeIsRefusedAtOnce() throws Exception {
    addNode("n1");
    assertThat(ask("none", "captureContainer", "container").status()).isEqualTo(404);
    assertThat(ask("n1", "openEverything", "container").status()).isEqualTo(400);
    assertThat(ask("n1", "makeKey", "container").status()).isEqualTo(400);
    assertThat(ask("n1", "captureContainer", "queue").status()).isEqualTo(400);
    for (String part : List.of("leaveQueue", "enterQueue", "abandonQueue", "stayQueue")) {
      assertThat(ask("n1", part, "queue").status()).as(part).isEqualTo(409);
    }
    String number = "{\"operation\":\"captureContainer\",\"parts\":{\"container\":5}}";
    assertThat(admin.send("POST", "/v1/nodes/n1/jobs", number).status()).isEqualTo(400);
    assertThat(admin.send("DELETE", "/v1/tokens/root", null).status()).isEqualTo(409);
    assertThat(
            admin
                .send(
                    "POST",
                    "/v1/nodes/n1/jobs",
                    "{\"operation\":\"setKeep\",\"parts\":{\"queue\":\"q\"},\"body\":{\"kep\":3}}")
                .json()
                .string("detail"))
        .contains("'kep'");
    assertThat(admin.get("/v1/jobs").json().objects("jobs")).isEmpty();
  }

  @Test
  void hostileRequestsAreRefused() throws Exception {
    String token = addNode("n1");
    FleetClient node = admin.as(token);
    String reports = "/v1/nodes/n1/reports";

    assertThat(admin.send("POST", "/v1/nodes", "{\"name\":").status()).isEqualTo(400);
    for (String what : List.of("nodes", "tokens", "moves", "jobs", "reports")) {
      assertThat(admin.send("POST", "/v1/" + what, "{}").status()).as(what).isBetween(400, 409);
    }
    assertThat(admin.send("POST", "/v1/nodes", "{\"name\":null}").status()).isEqualTo(400);
    FleetClient.Answer unknown = admin.send("POST", "/v1/nodes", "{\"name\":\"a\",\"nom\":1}");
    assertThat(unknown.status()).isEqualTo(400);
    assertThat(unknown.json().string("detail")).contains("'nom'");
    assertThat(admin.send("POST", "/v1/nodes", "{\"name\":\"../x\"}").status()).isEqualTo(400);
    assertThat(
            node.send("POST", reports, "{\"reports\":[{\"kind\":\"bomb\"}]}")
                .json()
                .objects("refused"))
        .hasSize(1);
    assertThat(node.send("POST", reports, "{\"reports\":{}}").status()).isEqualTo(400);
    assertThat(admin.get("/v1/nodes/%2e%2e/queues").status()).isGreaterThanOrEqualTo(400);
    assertThat(statusOfLargeBody(reports, token)).isEqualTo(413);
    assertThat(admin.get("/v1/nodes").status()).isEqualTo(200);
  }

  @Test
  void wrongTokensAndRolesAreRefused() throws Exception {
    String token = addNode("n1");
    String viewer = token("viewer", "view");

    assertThat(admin.as(null).get("/v1/nodes").status()).isEqualTo(401);
    assertThat(admin.as("regen-wrong").get("/v1/nodes").status()).isEqualTo(401);
    assertThat(admin.as(token).get("/v1/nodes").status()).isEqualTo(403);
    assertThat(admin.as(viewer).get("/v1/nodes").status()).isEqualTo(200);
    assertThat(admin.as(viewer).send("DELETE", "/v1/nodes/n1", null).status()).isEqualTo(403);
    assertThat(admin.as(viewer).get("/v1/tokens").status()).isEqualTo(403);
    assertThat(admin.get("/v1/audit").json().toString())
        .contains("\"who\":\"viewer\",\"operation\":\"removeNode\",\"target\":\"n1\"")
        .contains("refused: 403", "somebody at 127.0.0.1", "refused: 401");

    admin.send("DELETE", "/v1/tokens/viewer", null);

    assertThat(comesToBe(() -> admin.as(viewer).get("/v1/nodes").status() == 401)).isTrue();
  }

  @Test
  void forgedNameIsRefusedAndRaisesAnAlarm() throws Exception {
    String token = addNode("n1");
    addNode("n2");

    assertThatThrownBy(() -> connect("n2", token, 0)).hasMessageContaining("403");
    assertThat(admin.as(token).post("/v1/nodes/n2/reports", new JsonObject()).status())
        .isEqualTo(403);

    JsonObject alarm = alarms().getFirst();
    assertThat(alarm.string("kind")).isEqualTo("forged_name");
    assertThat(alarm.string("node")).isEqualTo("n1");
    assertThat(alarm.number("count")).isEqualTo(2);
  }

  @Test
  void deletionRaisesAnAlarmUntilItIsAcknowledged() throws Exception {
    String token = addNode("n1");
    JsonObject removed =
        new JsonObject()
            .with("kind", "removed")
            .with("what", "queue")
            .with("queue", "desk")
            .with("by", "local")
            .with("at", "2026-11-23T10:00:00Z");
    try (SimulatedNode node = connect("n1", token, 0)) {
      node.report(removed);
      node.report(removed);
    }
    assertThat(alarms()).hasSize(1);

    admin.send("POST", "/v1/alarms/" + alarms().getFirst().string("id") + "/acknowledge", null);

    assertThat(alarms()).isEmpty();
    assertThat(admin.get("/v1/alarms?all=true").json().objects("alarms")).hasSize(1);
  }

  @Test
  void laterChangeOfASettingWinsAndTheLoserIsShown() throws Exception {
    String token = addNode("n1");
    String path = "/v1/nodes/n1/queues/desk/settings";
    try (SimulatedNode node = connect("n1", token, 0)) {
      admin.send("PUT", path, "{\"name\":\"keep\",\"value\":7}");
      JsonObject sent = node.next().json().object("body");
      assertThat(sent.number("value")).isEqualTo(7);

      node.report(setting("2000-01-01T00:00:00Z", 3));
      assertThat(node.next().json().object("body").number("value")).isEqualTo(7);
      node.report(setting("2100-01-01T00:00:00Z", 9));

      JsonObject now = admin.get(path).json().objects("settings").getFirst();
      assertThat(now.number("value")).isEqualTo(9);
      assertThat(now.object("loser").number("value")).isEqualTo(7);
    }
  }

  @Test
  void queuesOfTheNodeAreMirrored() throws Exception {
    String token = addNode("n1");
    try (SimulatedNode node = connect("n1", token, 0)) {
      node.report(
          new JsonObject()
              .with("kind", "inventory")
              .with("queues", List.of(queue("desk"), queue("lamp")))
              .with("containers", List.of(new JsonObject().with("name", "desk")))
              .with("revision", 1));
      node.report(new JsonObject().with("kind", "queueGone").with("name", "lamp"));

      assertThat(admin.get("/v1/nodes/n1/queues").json().objects("queues")).hasSize(1);
      assertThat(admin.get("/v1/nodes/n1/containers").json().objects("containers")).hasSize(1);
      assertThat(admin.get("/v1/nodes/n1").json().number("containers")).isEqualTo(1);
      JsonObject row = admin.get("/v1/nodes/n1/queues/desk").json().objects("snapshots").getFirst();
      assertThat(row.strings("actions")).containsExactly("restore");
      assertThat(admin.get("/v1/nodes/n1/queues/lamp").status()).isEqualTo(404);
    }
  }

  @Test
  void changesGoOnWhereTheyWereLeftAfterTheManagerWasStartedAnew() throws Exception {
    addNode("n1");
    List<String> first = events(null, 1);
    String place = first.getFirst().split(" ", 2)[0];
    String before = capture("n1");
    admin.close();
    server.close();
    server = manager();
    admin = new FleetClient(server.uri(), admin.token());
    String after = capture("n1");

    List<String> next = jobs(place, 2);

    assertThat(next.get(0)).contains(before);
    assertThat(next.get(1)).contains(after);
  }

  /** The first so many changes of jobs; others may stand between them. */
  private List<String> jobs(String place, int count) throws Exception {
    for (int most = count; ; most++) {
      List<String> jobs =
          events(place, most).stream().filter(event -> event.contains(" job ")).toList();
      if (jobs.size() == count) {
        return jobs;
      }
    }
  }

  @Test
  void removedNodeIsSentAwayAndItsJobsHaveFailed() throws Exception {
    String token = addNode("n1");
    try (SimulatedNode node = connect("n1", token, 0)) {
      String job = capture("n1");
      node.next();
      node.report(job, "running", 1);

      admin.send("DELETE", "/v1/nodes/n1", null);

      assertThat(node.endsWithin(Duration.ofSeconds(5))).isTrue();
      assertThat(admin.get("/v1/jobs/" + job).json().string("code")).isEqualTo("node_removed");
      assertThat(comesToBe(() -> node.report(job, "success", 2).status() == 401)).isTrue();
    }
  }

  @Test
  void listsComeInParts() throws Exception {
    for (int i = 0; i < 5; i++) {
      addNode("n" + i);
    }
    List<String> names = new ArrayList<>();
    String cursor = "";
    while (cursor != null) {
      JsonObject part = admin.get("/v1/nodes?limit=2&cursor=" + cursor).json();
      for (JsonObject node : part.objects("nodes")) {
        names.add(node.string("name"));
      }
      cursor = part.stringOrNull("next");
    }
    assertThat(names).containsExactly("n0", "n1", "n2", "n3", "n4");
    assertThat(admin.get("/v1/nodes?limit=0").status()).isEqualTo(400);
  }

  /** Whether something comes to be within some seconds. */
  @FunctionalInterface
  interface Condition {
    boolean holds() throws Exception;
  }

  static boolean comesToBe(Condition condition) throws Exception {
    for (int i = 0; i < 100; i++) {
      if (condition.holds()) {
        return true;
      }
      Thread.sleep(50);
    }
    return false;
  }

  FleetUrl url() {
    return url;
  }

  FleetClient admin() {
    return admin;
  }

  ManagerServer manager() throws IOException {
    Listening here =
        new Listening(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), null, null, null);
    return new ManagerServer(new ManagerOptions(here, null, null, null, null, null, null, url));
  }

  SimulatedNode connect(String node, String token, long last) throws IOException {
    return SimulatedNode.connect(server.uri(), node, token, last);
  }

  String addNode(String name) throws Exception {
    return admin.post("/v1/nodes", new JsonObject().with("name", name)).json().string("token");
  }

  String capture(String node) throws Exception {
    FleetClient.Answer answer = ask(node, "captureContainer", "container");
    assertThat(answer.status()).isEqualTo(202);
    return answer.json().string("id");
  }

  private String token(String name, String role) throws Exception {
    return admin
        .post("/v1/tokens", new JsonObject().with("name", name).with("role", role))
        .json()
        .string("token");
  }

  private FleetClient.Answer ask(String node, String operation, String part) throws Exception {
    return admin.post(
        "/v1/nodes/" + node + "/jobs",
        new JsonObject()
            .with("operation", operation)
            .with("parts", new JsonObject().with(part, "desk")));
  }

  private String state(String job) throws Exception {
    return admin.get("/v1/jobs/" + job).json().string("state");
  }

  private List<JsonObject> alarms() throws Exception {
    return admin.get("/v1/alarms").json().objects("alarms");
  }

  private static JsonObject setting(String changedAt, long value) {
    return new JsonObject()
        .with("kind", "setting")
        .with("queue", "desk")
        .with("name", "keep")
        .with("value", value)
        .with("changedAt", changedAt)
        .with("changedBy", "local");
  }

  private static JsonObject queue(String name) {
    return new JsonObject()
        .with("name", name)
        .with("keep", 5)
        .with(
            "snapshots",
            List.of(
                new JsonObject()
                    .with("id", "0123456789abcdef0123456789abcdef")
                    .with("state", "complete")
                    .with("actions", List.of("restore"))));
  }

  /** Sends ten million bytes, and reads the answer whether or not all were wanted. */
  private int statusOfLargeBody(String path, String token) throws IOException {
    URI uri = server.uri();
    try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
      byte[] some = new byte[100_000];
      java.util.Arrays.fill(some, (byte) ' ');
      socket
          .getOutputStream()
          .write(
              ("POST "
                      + path
                      + " HTTP/1.1\r\nHost: m\r\nAuthorization: Bearer "
                      + token
                      + "\r\nContent-Length: 10000000\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      try {
        for (int i = 0; i < 100; i++) {
          socket.getOutputStream().write(some);
        }
      } catch (IOException e) {
        // It was told enough.
      }
      return status(socket);
    }
  }

  private static int status(Socket socket) throws IOException {
    String line =
        new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))
            .readLine();
    return line == null ? 0 : Integer.parseInt(line.split(" ", -1)[1]);
  }

  /** Some events as {@code ID KIND DATA}, after a place. */
  private List<String> events(@Nullable String place, int count) throws IOException {
    URI uri = server.uri();
    List<String> events = new ArrayList<>();
    try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
      socket.setSoTimeout(15_000);
      socket
          .getOutputStream()
          .write(
              ("GET /v1/changes HTTP/1.1\r\nHost: m\r\nAuthorization: Bearer "
                      + admin.token()
                      + (place == null ? "" : "\r\nLast-Event-ID: " + place)
                      + "\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
      String event = "";
      while (events.size() < count) {
        String line = in.readLine();
        if (line == null) {
          throw new IOException("the stream ended");
        }
        if (line.startsWith("id: ")) {
          event = line.substring(4);
        } else if (line.startsWith("event: ")) {
          event += " " + line.substring(7) + " ";
        } else if (line.startsWith("data: ") && !event.contains(" node ")) {
          events.add(event + line.substring(6));
        }
      }
    }
    return events;
  }
}
