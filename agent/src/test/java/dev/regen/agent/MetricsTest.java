package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.agent.api.Role;
import dev.regen.agent.fleet.Fleet;
import dev.regen.agent.fleet.db.FleetUrl;
import dev.regen.agent.observe.Figures;
import dev.regen.agent.registry.ManagerOptions;
import dev.regen.agent.registry.ManagerServer;
import dev.regen.agent.tcp.Listening;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What an agent and a manager that run tell Prometheus, and the files that name it. */
final class MetricsTest extends AgentWithoutEngine {
  private static final Pattern NAME = Pattern.compile("\\b(?:regen|process)_[a-z_]+");
  private static final Pattern TYPE = Pattern.compile("(?m)^# TYPE ([a-z_]+) ([a-z]+)$");

  @Override
  JsonObject configuration() {
    return super.configuration().with("store", "dir:" + directory.resolve("srv"));
  }

  @Test
  void everyMetricOfTheDashboardAndTheAlertsIsServedFromTheFirstMomentOn() throws Exception {
    Files.createDirectories(directory.resolve("srv"));
    Set<String> served = new TreeSet<>(names(metrics()));
    String token = Fleet.token(fleet(), InstantSource.system(), "prometheus", Role.VIEW);
    try (ManagerServer manager = manager(null)) {
      assertThat(get(manager.uri(), null).statusCode()).isEqualTo(401);
      served.addAll(names(get(manager.uri(), token).body()));
    }

    Set<String> named = new TreeSet<>();
    for (String expression : expressions()) {
      Matcher name = NAME.matcher(expression);
      while (name.find()) {
        named.add(name.group());
      }
    }
    assertThat(named).hasSizeGreaterThan(25);
    assertThat(served).containsAll(named);
  }

  @Test
  void whatIsDoneIsCounted() throws Exception {
    Files.createDirectories(directory.resolve("srv"));
    spool("desk", NINE, "first");
    awaitIdle();
    spool("desk", NINE.plusSeconds(1), "second");
    awaitIdle();
    spool("desk", NINE.plusSeconds(2), "second");
    awaitIdle();
    assertThat(regen("push", "desk", "--no-image").code()).isZero();
    assertThat(regen("push", "desk", "--no-image").code()).isZero();
    assertThat(regen("push", "none", "--no-image").code()).isEqualTo(3);

    String metrics = metrics();

    assertThat(value(metrics, "regen_captures_total{result=\"stored\"}")).isEqualTo(2);
    assertThat(value(metrics, "regen_captures_total{result=\"unchanged\"}")).isEqualTo(1);
    assertThat(value(metrics, "regen_captured_bytes_total"))
        .isGreaterThanOrEqualTo(value(metrics, "regen_captured_new_bytes_total"))
        .isPositive();
    assertThat(value(metrics, "regen_job_seconds_count{kind=\"archive\"}")).isEqualTo(3);
    assertThat(value(metrics, "regen_jobs_ended_total{kind=\"push\",state=\"success\"}"))
        .isEqualTo(2);
    assertThat(value(metrics, "regen_jobs_ended_total{kind=\"push\",state=\"failed\"}"))
        .isEqualTo(1);
    assertThat(value(metrics, "regen_job_failures_total{code=\"not_found\"}")).isEqualTo(1);
    assertThat(value(metrics, "regen_transfer_chunks_total{direction=\"push\"}")).isPositive();
    assertThat(value(metrics, "regen_transfer_reused_chunks_total{direction=\"push\"}"))
        .as("of the second push")
        .isEqualTo(value(metrics, "regen_transfer_chunks_total{direction=\"push\"}"));
    assertThat(value(metrics, "regen_store_server_up{server=\"dir:" + directory + "/srv\"}"))
        .isEqualTo(1);
    assertThat(value(metrics, "regen_engine_up")).isZero();
    assertThat(value(metrics, "regen_queues")).isEqualTo(1);
    assertThat(value(metrics, "regen_spool_oldest_seconds")).isZero();
    assertThat(value(metrics, "process_resident_memory_bytes")).isGreaterThan(1e6);
  }

  @Test
  void registryTellsItsMetricsToItsUsersAlone() throws Exception {
    Path users = Files.writeString(directory.resolve("htpasswd"), "");
    try (ManagerServer manager = manager(users)) {
      assertThat(get(manager.uri(), null).statusCode()).isEqualTo(401);
    }
  }

  @Test
  void alertsAreWhatPrometheusReads() throws Exception {
    Path rules = Files.writeString(directory.resolve("alerts.yml"), Figures.alerts());
    Process promtool =
        new ProcessBuilder("promtool", "check", "rules", rules.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(promtool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(promtool.waitFor()).as(said).isZero();
    assertThat(said).contains("SUCCESS");
  }

  @Test
  void filesArePrintedWithoutAnAgent() throws Exception {
    agent.close();

    assertThat(regen("metrics", "--alerts").out()).isEqualTo(Figures.alerts());
    assertThat(JsonObject.parse(regen("metrics", "--dashboard").out()).string("title"))
        .isEqualTo("Regen");
    assertThat(regen("metrics").code()).isEqualTo(5);
    assertThatThrownBy(this::metrics).isInstanceOf(AssertionError.class);
  }

  private static Set<String> expressions() throws IOException {
    Set<String> all = new TreeSet<>();
    JsonObject dashboard = JsonObject.parse(Figures.dashboard());
    for (JsonObject panel : dashboard.objects("panels")) {
      for (JsonObject target : panel.objects("targets")) {
        all.add(target.string("expr"));
      }
    }
    all.add(dashboard.object("templating").toString());
    Matcher expression = Pattern.compile("(?m)^ +expr: (.*)$").matcher(Figures.alerts());
    while (expression.find()) {
      all.add(expression.group(1));
    }
    return all;
  }

  private static Set<String> names(String metrics) {
    Set<String> names = new TreeSet<>();
    Matcher type = TYPE.matcher(metrics);
    while (type.find()) {
      names.add(type.group(1));
      if (type.group(2).equals("histogram")) {
        names.add(type.group(1) + "_bucket");
        names.add(type.group(1) + "_count");
        names.add(type.group(1) + "_sum");
      }
      assertThat(metrics)
          .as("a sample of %s", type.group(1))
          .containsPattern("(?m)^" + type.group(1) + "[ {_]");
    }
    return names;
  }

  private static double value(String metrics, String sample) {
    Matcher value = Pattern.compile("(?m)^" + Pattern.quote(sample) + " (.*)$").matcher(metrics);
    assertThat(value.find()).as("%s in %s", sample, metrics).isTrue();
    return Double.parseDouble(value.group(1));
  }

  private String metrics() {
    Result result = regen("metrics");
    assertThat(result.err()).isEmpty();
    return result.out();
  }

  private ManagerServer manager(@Nullable Path users) throws IOException {
    return new ManagerServer(
        new ManagerOptions(
            new Listening(Listening.address("127.0.0.1:0"), null, null, null),
            StoreUrl.parse("dir:" + directory.resolve("registry")),
            users,
            null,
            null,
            null,
            null,
            users == null ? fleet() : null));
  }

  private FleetUrl fleet() {
    return FleetUrl.parse("sqlite:" + directory.resolve("fleet.db"));
  }

  private static HttpResponse<String> get(URI manager, @Nullable String token)
      throws IOException, InterruptedException {
    HttpRequest.Builder request = HttpRequest.newBuilder(manager.resolve("/metrics"));
    if (token != null) {
      request.header("Authorization", "Bearer " + token);
    }
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
  }
}
