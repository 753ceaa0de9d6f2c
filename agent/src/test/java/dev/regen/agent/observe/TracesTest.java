package dev.regen.agent.observe;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.Answer;
import dev.regen.runtime.oci.HookCall;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a collector is sent, and what happens while it is not there. */
final class TracesTest {
  private static final Duration GATHER = Duration.ofMillis(300);
  private static final Instant NINE = Instant.parse("2026-11-23T09:00:00Z");

  private final BlockingQueue<JsonObject> received = new ArrayBlockingQueue<>(100);
  private Instant now = NINE;

  @SuppressWarnings("NullAway.Init")
  private HttpServer collector;

  @BeforeEach
  void listen() throws IOException {
    collector = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
    collector.createContext(
        "/v1/traces",
        exchange -> {
          received.add(JsonObject.parse(exchange.getRequestBody().readAllBytes()));
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    collector.start();
  }

  @AfterEach
  void close() {
    collector.stop(0);
  }

  @Test
  void operationIsATraceOfWhatItDid() throws Exception {
    try (Traces traces = traces()) {
      JsonObject job =
          new JsonObject()
              .with("id", "j1")
              .with("kind", "push")
              .with("subject", "desk@latest")
              .with("askedBy", "ann")
              .with("state", "waiting")
              .with("askedAt", NINE);
      traces.job(job);
      traces.job(job.with("state", "running").with("startedAt", NINE.plusSeconds(1)));
      now = NINE.plusSeconds(2);
      traces.job(job.with("step", "connecting"));
      now = NINE.plusSeconds(3);
      traces.job(job.with("step", "sending"));
      job.with("state", "failed").with("endedAt", NINE.plusSeconds(9));
      traces.job(job.with("code", "failed").with("message", "the network"));
      traces.job(job);

      List<JsonObject> spans = spans();

      assertThat(spans)
          .extracting(span -> span.string("name"))
          .containsExactly("push", "waiting", "running", "connecting", "sending");
      JsonObject whole = spans.getFirst();
      assertThat(whole.string("traceId")).matches("[0-9a-f]{32}");
      assertThat(whole.string("startTimeUnixNano")).isEqualTo("1795424400000000000");
      assertThat(whole.object("status").number("code")).isEqualTo(2);
      assertThat(whole.objects("attributes").toString()).contains("regen.job", "j1", "ann");
      assertThat(spans)
          .allSatisfy(
              span -> assertThat(span.string("traceId")).isEqualTo(whole.string("traceId")));
      assertThat(spans.get(2).string("parentSpanId")).isEqualTo(whole.string("spanId"));
      assertThat(spans.get(4).string("parentSpanId")).isEqualTo(spans.get(2).string("spanId"));
      assertThat(spans.get(3).string("endTimeUnixNano"))
          .isEqualTo(spans.get(4).string("startTimeUnixNano"));
    }
  }

  @Test
  void hookIsATraceAndARefusalAFailure() throws Exception {
    try (Traces traces = traces()) {
      traces.called(HookCall.Verb.CREATE, new Answer.Go(), Duration.ofMillis(5));
      traces.called(HookCall.Verb.CREATE, new Answer.Refuse("no room"), Duration.ofMillis(5));

      List<JsonObject> spans = spans();

      assertThat(spans).extracting(span -> span.string("name")).containsOnly("hook create");
      assertThat(spans.get(0).object("status").has("code")).isFalse();
      assertThat(spans.get(1).object("status").string("message")).isEqualTo("no room");
    }
  }

  @Test
  void nobodyWaitsForACollectorThatIsNotThere() throws Exception {
    URI nowhere = uri();
    collector.stop(0);
    long begin = System.nanoTime();
    try (Traces traces = new Traces(nowhere, "test", "here", () -> now, GATHER)) {
      for (int i = 0; i < 10_000; i++) {
        traces.called(HookCall.Verb.DELETE, new Answer.Go(), Duration.ZERO);
      }
    }

    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(5));
  }

  private Traces traces() {
    return new Traces(uri(), "test", "here", () -> now, GATHER);
  }

  private URI uri() {
    return URI.create("http://127.0.0.1:" + collector.getAddress().getPort() + "/");
  }

  private List<JsonObject> spans() throws Exception {
    JsonObject body = Objects.requireNonNull(received.poll(20, TimeUnit.SECONDS));
    List<JsonObject> spans = new ArrayList<>();
    for (JsonObject resource : body.objects("resourceSpans")) {
      assertThat(resource.object("resource").toString()).contains("service.name", "test");
      for (JsonObject scope : resource.objects("scopeSpans")) {
        spans.addAll(scope.objects("spans"));
      }
    }
    return spans;
  }
}
