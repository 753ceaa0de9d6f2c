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

/** A real agent as a node of a real manager's fleet. */
abstract class AgentInFleet extends AgentWithoutEngine {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  @SuppressWarnings("NullAway.Init")
  ManagerServer manager;

  @SuppressWarnings("NullAway.Init")
  FleetClient admin;

  @SuppressWarnings("NullAway.Init")
  JsonObject configuration;

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

  final ManagerServer manager(int port) throws IOException {
    Listening here =
        new Listening(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), port), null, null, null);
    return new ManagerServer(
        new ManagerOptions(here, null, null, null, null, null, null, database()));
  }

  final FleetUrl database() {
    return new FleetUrl.Sqlite(directory.resolve("fleet.db"));
  }

  final void tokenFile(String token) throws IOException {
    Path file = Files.writeString(directory.resolve("token"), token + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
  }

  final String ask(String operation, JsonObject parts, String body) throws Exception {
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

  final JsonObject ended(String job) throws Exception {
    return admin.get("/v1/jobs/" + job + "?waitMillis=20000").json();
  }

  final JsonObject mirrored(String queue) throws Exception {
    return admin.get("/v1/nodes/n1/queues/" + queue).json();
  }

  final String setting(String path, String name) throws Exception {
    for (JsonObject one : admin.get(path).json().objects("settings")) {
      if (one.string("name").equals(name)) {
        return one.members().get("value") + " " + one.string("changedBy");
      }
    }
    return "";
  }

  final List<JsonObject> alarms() throws Exception {
    return admin.get("/v1/alarms").json().objects("alarms");
  }

  static String words(JsonObject json, String... members) throws IOException {
    StringBuilder words = new StringBuilder();
    for (String member : members) {
      words.append(words.isEmpty() ? "" : " ").append(json.string(member));
    }
    return words.toString();
  }

  interface Look {
    @Nullable Object now() throws Exception;
  }

  static void awaits(Look look, Object expected) throws Exception {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    @Nullable Object seen = look.now();
    while (!expected.equals(seen) && System.nanoTime() < deadline) {
      Thread.sleep(20);
      seen = look.now();
    }
    assertThat(seen).isEqualTo(expected);
  }
}
