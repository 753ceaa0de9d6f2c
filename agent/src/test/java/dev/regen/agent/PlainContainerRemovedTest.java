package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code docker rm -f} under plain runc: the engine, played here, tells of the end too late. */
final class PlainContainerRemovedTest extends AgentWithoutEngine {
  private static final String ID = "ab".repeat(32);
  private static final String CONTAINER = "/containers/" + ID + "/json";

  private final CountDownLatch asked = new CountDownLatch(1);
  private final Map<String, JsonObject> answers =
      new ConcurrentHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        public @Nullable JsonObject get(Object path) {
          JsonObject answer = super.get(path);
          if (path.equals(CONTAINER)) {
            // After the answer is had: the test takes it away then.
            asked.countDown();
          }
          return answer;
        }
      };

  @SuppressWarnings("NullAway.Init")
  private SmallEngine engine;

  @BeforeEach
  void startEngine() throws IOException {
    engine = new SmallEngine(directory.resolve("engine.sock"), answers);
  }

  @AfterEach
  void stopEngine() throws IOException {
    engine.close();
  }

  @Override
  Map<String, String> environment() {
    Map<String, String> environment = new HashMap<>(super.environment());
    environment.put("DOCKER_HOST", "unix://" + directory.resolve("engine.sock"));
    return environment;
  }

  @ParameterizedTest(name = "the engine still knows it: {0}")
  @ValueSource(booleans = {true, false})
  void whatIsLostIsSaidInWords(boolean stillKnown) throws IOException, InterruptedException {
    answers.put(CONTAINER, inspected(true));
    answers.put("/events", event("start", 1));
    assertThat(asked.await(20, TimeUnit.SECONDS)).as("its start is heard of").isTrue();
    if (stillKnown) {
      answers.put(CONTAINER, inspected(false));
    } else {
      answers.remove(CONTAINER);
    }
    answers.put("/events", event("die", 2));

    String said = failure();

    assertThat(said)
        .startsWith("container box, which ran under plain runc: it was removed")
        .contains("what its last run wrote is lost", "--runtime=regen")
        .doesNotContain("errno");
  }

  private String failure() throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (true) {
      List<JsonObject> events = array(regen("events", "box", "--json"));
      if (!events.isEmpty()) {
        return events.getFirst().string("message");
      }
      assertThat(System.nanoTime()).as("it is told").isLessThan(deadline);
      Thread.sleep(50);
    }
  }

  private JsonObject inspected(boolean running) {
    JsonObject state =
        new JsonObject()
            .with("Running", running)
            .with("Paused", false)
            .with("StartedAt", "2026-11-22T09:00:00Z");
    JsonObject upper = new JsonObject().with("UpperDir", directory.resolve("gone/diff").toString());
    JsonObject labels = new JsonObject().with("regen.queue", "box");
    return new JsonObject()
        .with("Id", ID)
        .with("Name", "/box")
        .with("Image", "sha256:" + ID)
        .with("State", state)
        .with("Config", new JsonObject().with("Image", "demo").with("Labels", labels))
        .with("HostConfig", new JsonObject().with("AutoRemove", false).with("Runtime", "runc"))
        .with("GraphDriver", new JsonObject().with("Name", "overlay2").with("Data", upper))
        .with("Mounts", List.of());
  }

  private static JsonObject event(String action, int second) {
    JsonObject attributes = new JsonObject().with("regen.queue", "box").with("name", "box");
    return new JsonObject()
        .with("Action", action)
        .with("Actor", new JsonObject().with("ID", ID).with("Attributes", attributes))
        .with("timeNano", NINE.plusSeconds(second).getEpochSecond() * 1_000_000_000L);
  }
}
