package dev.regen.agent.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Readers who come back, who do not read, and who are too many. */
@Timeout(60)
final class ChangeStreamTest {
  private static final Duration ALIVE = Duration.ofMillis(100);
  private static final Duration STUCK = Duration.ofMillis(1500);

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  private final Changes changes = new Changes();

  @SuppressWarnings("NullAway.Init")
  private ApiServer server;

  @BeforeEach
  void start() throws IOException {
    Routes routes = new Routes(ApiDocument.parse(document()));
    routes.add(
        "followChanges",
        call -> {
          String last = call.header("Last-Event-ID");
          return new Answer.Follow(changes, last == null ? call.query("after") : last);
        });
    ApiLimits limits =
        new ApiLimits(64, 0, Duration.ofMinutes(1), Duration.ofSeconds(5), 2, ALIVE, STUCK);
    server = new ApiServer(directory.resolve("sock"), routes, null, limits);
    server.start();
  }

  @AfterEach
  void stop() throws IOException {
    changes.close();
    server.close();
  }

  @Test
  void whoComesBackHearsWhatWasMissed() throws IOException {
    String place;
    try (RawHttp reader = follow("", "")) {
      assertThat(reader.until("data: {}\n\n"))
          .startsWith("HTTP/1.1 200")
          .contains("text/event-stream", "event: reset");
      tell(1);
      place = id(reader.until("{\"n\":1}\n\n"));
    }
    tell(2);
    tell(3);

    try (RawHttp reader = follow("Last-Event-ID: " + place + "\r\n", "?after=nonsense")) {
      assertThat(reader.until("{\"n\":3}\n\n"))
          .contains("event: job\ndata: {\"n\":2}\n\n")
          .doesNotContain("reset", "{\"n\":1}");
    }
    try (RawHttp reader = follow("", "?after=" + place)) {
      assertThat(reader.until("{\"n\":3}\n\n")).contains("{\"n\":2}").doesNotContain("reset");
    }
  }

  @Test
  void silenceIsBrokenByComments() throws IOException {
    try (RawHttp reader = follow("", "")) {
      assertThat(reader.until(": alive\n\n")).contains("reset");
      assertThat(reader.until(": alive\n\n")).doesNotContain("data");
    }
  }

  @Test
  void whoDoesNotReadIsSentAwayAndHoldsNobodyUp() throws Exception {
    try (RawHttp stuck = follow("", "")) {
      String place = id(stuck.until("data: {}\n\n"));
      JsonObject large = new JsonObject().with("text", "x".repeat(10_000));

      long begin = System.nanoTime();
      for (int i = 0; i < 1_000; i++) {
        changes.tell("job", large);
      }
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(2));
      tell(7);
      try (RawHttp other = follow("Last-Event-ID: " + place + "\r\n", "")) {
        other.until("{\"n\":7}\n\n");
      }
      Thread.sleep(STUCK.plusSeconds(2));
      assertThat(stuck.answer()).doesNotContain("{\"n\":7}");
    }
    // Its place among the two who may follow is free again.
    try (RawHttp one = follow("", "");
        RawHttp two = follow("", "")) {
      one.until("reset");
      two.until("reset");
    }
  }

  @Test
  void moreThanMayFollowAreRefused() throws IOException {
    try (RawHttp one = follow("", "");
        RawHttp two = follow("", "")) {
      one.until("reset");
      two.until("reset");
      try (RawHttp three = follow("", "")) {
        assertThat(three.answer()).startsWith("HTTP/1.1 429").contains("too_many_requests");
      }
    }
  }

  @Test
  void streamEndsWithTheLog() throws IOException {
    try (RawHttp reader = follow("", "")) {
      reader.until("data: {}\n\n");
      changes.close();
      assertThat(reader.until("0\r\n\r\n")).isNotEmpty();
    }
  }

  private RawHttp follow(String headers, String query) throws IOException {
    return RawHttp.unix(directory.resolve("sock")).ask("GET", "/v1/changes" + query, headers, "");
  }

  private void tell(int number) {
    changes.tell("job", new JsonObject().with("n", number));
  }

  private static String id(String event) {
    Matcher id = Pattern.compile("id: (\\S+)").matcher(event);
    String last = "";
    while (id.find()) {
      last = id.group(1);
    }
    return last;
  }

  private static byte[] document() {
    return """
    {"paths": {
      "/v1/openapi.json": {"get": {"operationId": "getApi", "x-regen-role": "view"}},
      "/v1/changes": {"get": {"operationId": "followChanges", "x-regen-role": "view",
        "parameters": [{"name": "after", "in": "query"}]}}}}
    """
        .getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }
}
