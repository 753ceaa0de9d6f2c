package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Names that a person gives, and that only the engine can tell. */
final class CommandLineEngineTest extends AgentWithoutEngine {
  private static final String ID = "sha256:" + "ab".repeat(32);

  @SuppressWarnings("NullAway.Init")
  private SmallEngine engine;

  @BeforeEach
  void startEngine() throws IOException {
    JsonObject image = new JsonObject().with("Id", ID);
    engine =
        new SmallEngine(
            directory.resolve("engine.sock"),
            Map.of("/images/demo:1/json", image, "/images/" + ID + "/json", image));
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

  @Test
  void importedLayerBelongsOnTheImageThatTheNameStandsFor() throws IOException {
    Path tar = Files.write(directory.resolve("empty.tar"), new byte[1024]);

    Result named = regen("import", "desk", tar.toString(), "--image=demo:1");
    Result unknown = regen("import", "other", tar.toString(), "--image=demo:2");

    assertThat(named.err()).isEmpty();
    assertThat(regen("show", "desk@latest", "--json").out()).contains(ID).contains("demo:1");
    assertThat(named.out()).contains(" of queue desk, on image demo:1");
    assertThat(unknown.code()).isEqualTo(3);
    assertThat(unknown.err()).contains("the engine has no image 'demo:2'").hasLineCount(1);
    assertThat(regen("ls", "other").code()).isEqualTo(3);
  }

  @Test
  void comparisonWithAContainerThatIsNotThereIsExitCodeThree() throws IOException {
    Path tar = Files.write(directory.resolve("empty.tar"), new byte[1024]);
    assertThat(regen("import", "desk", tar.toString()).code()).isZero();

    Result result = regen("diff", "desk@latest");

    assertThat(result.code()).isEqualTo(3);
    assertThat(result.err()).startsWith("regen: no container 'desk'").hasLineCount(1);
  }

  @Test
  void captureOfAContainerThatIsNotThereIsExitCodeThreeAtOnce() throws IOException {
    Result result = regen("capture", "wrong");

    assertThat(result.code()).isEqualTo(3);
    assertThat(result.err()).startsWith("regen: no container 'wrong'").hasLineCount(1);
    assertThat(array(regen("jobs", "--json"))).isEmpty();
  }
}
