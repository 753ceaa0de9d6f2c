package dev.regen.agent.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.registry.ManagerServer;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A fleet in PostgreSQL, which managers share. */
final class FleetPostgresqlTest extends FleetContract {
  @SuppressWarnings("NullAway.Init")
  private static TestPostgresql postgresql;

  private static int databases;

  @BeforeAll
  static void startServer() throws Exception {
    postgresql = TestPostgresql.start();
  }

  @AfterAll
  static void stopServer() throws Exception {
    postgresql.close();
  }

  @Override
  String database(Path directory) throws Exception {
    return postgresql.database("fleet" + ++databases);
  }

  @Test
  void messageReachesANodeThatIsConnectedToAnotherManager() throws Exception {
    String token = addNode("n1");
    try (ManagerServer other = manager();
        SimulatedNode node = SimulatedNode.connect(other.uri(), "n1", token, 0)) {
      String job = capture("n1");

      assertThat(node.next().json().string("id")).isEqualTo(job);
      node.report(job, "success", 1);
      assertThat(admin().get("/v1/jobs/" + job + "?waitMillis=5000").json().string("state"))
          .isEqualTo("success");
    }
  }

  @Test
  void nodeThatWentToAnotherManagerHearsEachMessageOnce() throws Exception {
    String token = addNode("n1");
    try (ManagerServer other = manager();
        SimulatedNode before = connect("n1", token, 0);
        SimulatedNode after = SimulatedNode.connect(other.uri(), "n1", token, 0)) {
      String job = capture("n1");

      assertThat(after.next().json().string("id")).isEqualTo(job);
      assertThat(before.endsWithin(Duration.ofSeconds(5))).isTrue();
      assertThat(before.silentFor(Duration.ofMillis(100))).isTrue();
    }
  }
}
