package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.agent.jobs.JobLimits;
import dev.regen.agent.node.ManagerUrl;
import dev.regen.agent.node.NodeConfiguration;
import dev.regen.agent.observe.ObserveConfiguration;
import dev.regen.agent.tcp.Listening;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class AgentConfigurationTest {
  @Test
  void defaultsAreThoseOfTheDocs() throws IOException {
    assertThat(AgentConfiguration.of(new JsonObject(), Map.of()))
        .isEqualTo(
            new AgentConfiguration(
                Path.of("/var/lib/regen"),
                Path.of("/run/regen"),
                Path.of("/etc/regen/keys.json"),
                2,
                Duration.ofSeconds(1),
                20_000_000_000L,
                List.of(Path.of("/var/lib/docker")),
                null,
                JobLimits.DEFAULT,
                new ApiConfiguration(null, false, null, 50),
                null,
                ObserveConfiguration.NONE));
  }

  @Test
  void everyKeyIsRead() throws IOException {
    JsonObject json =
        JsonObject.parse(
            """
            {"home": "/h", "run": "/r", "keyset": "/k", "compressors": 3, "spoolPollMillis": 50,
             "hotTreeMegabytes": 7, "dataRoots": ["/a", "/b"],
             "store": "dir:/s", "jobIntervalMillis": 500, "jobBatch": 3, "jobDeadlineSeconds": 9,
             "jobPlaces": 2, "transferPlaces": 1, "listen": "0.0.0.0:7443", "tlsCert": "/c",
             "tlsKey": "/p", "tlsClients": "/t", "socketGroup": "ops", "requestsPerSecond": 9,
             "insecureHttp": true, "manager": "https://m:5000?token-file=/t", "node": "n1",
             "log": "json", "traces": "http://collector:4318"}
            """);

    assertThat(AgentConfiguration.of(json, Map.of()))
        .isEqualTo(
            new AgentConfiguration(
                Path.of("/h"),
                Path.of("/r"),
                Path.of("/k"),
                3,
                Duration.ofMillis(50),
                7_000_000,
                List.of(Path.of("/a"), Path.of("/b")),
                StoreUrl.parse("dir:/s"),
                new JobLimits(Duration.ofMillis(500), 3, Duration.ofSeconds(9), 2, 1),
                new ApiConfiguration(
                    new Listening(
                        Listening.address("0.0.0.0:7443"),
                        Path.of("/c"),
                        Path.of("/p"),
                        Path.of("/t")),
                    true,
                    "ops",
                    9),
                new NodeConfiguration(ManagerUrl.parse("https://m:5000?token-file=/t"), "n1"),
                new ObserveConfiguration(true, URI.create("http://collector:4318"))));
  }

  @Test
  void tokensDoNotGoOverTheNetworkInThePlainUnlessThatIsSaid() throws IOException {
    JsonObject json = JsonObject.parse("{\"listen\": \"0.0.0.0:7443\"}");

    assertThatThrownBy(() -> ApiConfiguration.of(json)).hasMessageContaining("--insecure-http");

    assertThat(ApiConfiguration.of(json.with("insecureHttp", true)).listening()).isNotNull();
    assertThat(ApiConfiguration.of(JsonObject.parse("{\"listen\": \"127.0.0.1:1\"}")).listening())
        .isNotNull();
  }

  @Test
  void environmentGoesBeforeTheFile() throws IOException {
    JsonObject json = JsonObject.parse("{\"home\": \"/h\", \"run\": \"/r\"}");

    AgentConfiguration configuration =
        AgentConfiguration.of(
            json, Map.of("REGEN_HOME", "/eh", "REGEN_RUN", "/er", "REGEN_KEYSET", "/ek"));

    assertThat(configuration.home()).isEqualTo(Path.of("/eh"));
    assertThat(configuration.run()).isEqualTo(Path.of("/er"));
    assertThat(configuration.keyset()).isEqualTo(Path.of("/ek"));
  }

  @Test
  void unknownKeyIsAnErrorThatNamesIt() throws IOException {
    JsonObject json = JsonObject.parse("{\"hom\": \"/h\"}");

    assertThatThrownBy(() -> AgentConfiguration.of(json, Map.of()))
        .hasMessageContaining("unknown key 'hom'");
  }

  @Test
  void valueThatDoesNotFitIsAnError() throws IOException {
    for (String text :
        List.of(
            "{\"compressors\": 0}",
            "{\"home\": \"relative\"}",
            "{\"spoolPollMillis\": 1}",
            "{\"store\": \"/path\"}",
            "{\"jobIntervalMillis\": 0}",
            "{\"jobBatch\": 0}",
            "{\"jobDeadlineSeconds\": 0}",
            "{\"jobPlaces\": 0}",
            "{\"transferPlaces\": 65}",
            "{\"hotTreeMegabytes\": -1}")) {
      JsonObject json = JsonObject.parse(text);
      assertThatThrownBy(() -> AgentConfiguration.of(json, Map.of())).as(text).isNotNull();
    }
  }
}
