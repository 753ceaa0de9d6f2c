package dev.regen.agent.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.regen.agent.storage.TestCertificate;
import dev.regen.agent.tcp.Listening;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.remote.TlsFiles;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that no client of ours sends, on the Unix socket and over TLS. */
@Timeout(60)
final class ApiPortHostileTest {
  private static final Duration BODY = Duration.ofSeconds(1);

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private static Path directory;

  private static @Nullable SSLContext trust;

  @SuppressWarnings("NullAway.Init")
  private Path socket;

  private final List<Audit.Entry> audit = new ArrayList<>();
  private final Changes changes = new Changes();

  @SuppressWarnings("NullAway.Init")
  private ApiServer unix;

  @SuppressWarnings("NullAway.Init")
  private ApiPort port;

  @SuppressWarnings("NullAway.Init")
  private Tokens tokens;

  @SuppressWarnings("NullAway.Init")
  private String admin;

  @BeforeEach
  void start(@TempDir Path home) throws Exception {
    if (trust == null) {
      TestCertificate.make(directory, "server");
      trust = TlsFiles.context(null, null, directory.resolve("server.crt"));
    }
    Routes routes = new Routes(ApiDocument.parse(document()), this::told);
    routes
        .add("echo", call -> Answer.ok(call.json()))
        .add("look", call -> Answer.ok(new JsonObject().with("name", call.part("name"))))
        .add("rule", _ -> Answer.accepted(new JsonObject().with("id", "job1")))
        .add("followChanges", call -> new Answer.Follow(changes, call.header("Last-Event-ID")));
    routes.requireComplete();
    ApiLimits limits =
        new ApiLimits(
            64, 10, Duration.ofSeconds(20), BODY, 8, Duration.ofSeconds(1), Duration.ofSeconds(2));
    unix = new ApiServer(home.resolve("sock"), routes, null, limits.withRequestsPerSecond(0));
    unix.start();
    tokens = new Tokens(new LocalDisk(), home.resolve("tokens.json"), InstantSource.system());
    admin = tokens.add("root", Role.ADMIN, null);
    port =
        new ApiPort(
            new Listening(
                Listening.address("127.0.0.1:0"),
                directory.resolve("server.crt"),
                directory.resolve("server.key"),
                null),
            routes,
            TokenCallers.of(tokens),
            limits);
    socket = home.resolve("sock");
  }

  @AfterEach
  void stop() throws IOException {
    changes.close();
    port.close();
    unix.close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void bodiesThatDoNotFitAreRefusedAndWhatIsWrongIsNamed(boolean tls) throws IOException {
    assertThat(put(tls, "{\"a\":1}")).startsWith("HTTP/1.1 200").endsWith("{\"a\":1}");
    assertThat(put(tls, "{\"a\":")).startsWith("HTTP/1.1 400").contains("bad_input");
    assertThat(put(tls, "[1]")).startsWith("HTTP/1.1 400");
    assertThat(put(tls, "{\"a\":1}{}")).startsWith("HTTP/1.1 400");
    assertThat(put(tls, "{\"a\":1,\"a\":2}")).startsWith("HTTP/1.1 400");
    assertThat(put(tls, "{\"b\":1}")).startsWith("HTTP/1.1 400").contains("'b'", "there are a");
    assertThat(put(tls, "{\"a\":\"1\"}")).startsWith("HTTP/1.1 400").contains("'a' is no integer");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void bodiesThatWouldFillTheMemoryAreRefused(boolean tls) throws IOException {
    assertThat(put(tls, "{\"a\":\"" + "x".repeat(10_000_000) + "\"}"))
        .startsWith("HTTP/1.1 413")
        .contains("at most 65536 bytes");
    assertThat(put(tls, "{\"o\":" + "{\"o\":".repeat(5_000) + "1" + "}".repeat(5_001)))
        .startsWith("HTTP/1.1 400");
    assertThat(put(tls, "{\"l\":[" + "1,".repeat(20_000) + "1]}")).startsWith("HTTP/1.1 400");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void pathsLeadNowhereElse(boolean tls) throws IOException {
    for (String path :
        List.of(
            "/v1/look/..%2f..%2fetc%2fpasswd",
            "/v1/look/../../etc/passwd",
            "/v1/look/%2e%2e",
            "/v1/look/a%00b",
            "/v1/look/a%0d%0ab",
            "/v1/look/" + "n".repeat(256),
            "//v1/look/a",
            "/v1/look/a/",
            "/v1/look/a;b=c/d",
            "/v1/look/%ff",
            "*",
            "http://elsewhere/v1/nothing")) {
      assertThat(get(tls, path)).as(path).startsWith("HTTP/1.1 4").doesNotContain("\"name\":\"..");
    }
    assertThat(get(tls, "/v1/look/desk")).endsWith("{\"name\":\"desk\"}");
    assertThat(get(tls, "/v1/look/desk?x=1")).startsWith("HTTP/1.1 400").contains("'x'");
    assertThat(get(tls, "/" + "y".repeat(20_000))).startsWith("HTTP/1.1 4");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatIsNoHttpIsAnsweredOrClosedAndOthersAreServed(boolean tls) throws IOException {
    for (String said :
        List.of(
            "\u0016\u0003\u0001\r\n\r\n",
            "GET\r\n\r\n",
            "GET /v1/openapi.json HTTP/9.9\r\n\r\n",
            "PUT /v1/echo HTTP/1.1\r\nHost: r\r\nContent-Length: -1\r\n\r\n",
            "PUT /v1/echo HTTP/1.1\r\nHost: r\r\nContent-Length: 5\r\nTransfer-Encoding:"
                + " chunked\r\n\r\n0\r\n\r\n",
            "GET /v1/openapi.json HTTP/1.1\r\nHost: r\r\nX: " + "h".repeat(40_000) + "\r\n\r\n")) {
      try (RawHttp http = open(tls)) {
        assertThat(http.say(said).answer())
            .as(said.substring(0, Math.min(40, said.length())))
            .satisfiesAnyOf(
                answer -> assertThat(answer).isEmpty(),
                answer -> assertThat(answer).startsWith("HTTP/1.1 4"),
                answer -> assertThat(answer).startsWith("HTTP/1.1 505"));
      }
    }
    assertThat(get(tls, "/v1/openapi.json")).startsWith("HTTP/1.1 200");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void bodiesThatComeTooSlowlyAreGivenUp(boolean tls) throws Exception {
    try (RawHttp stopped = open(tls);
        RawHttp crawling = open(tls)) {
      String head = "PUT /v1/echo HTTP/1.1\r\nHost: r\r\n" + bearer(tls);
      stopped.say(head + "Content-Length: 100\r\n\r\n{\"a\"");
      crawling.say(head + "Content-Length: 100\r\n\r\n");
      long begin = System.nanoTime();
      Thread crawler =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  for (int i = 0; i < 100; i++) {
                    crawling.say(" ");
                    Thread.sleep(100);
                  }
                } catch (IOException | InterruptedException e) {
                  // The server has had enough, as it should.
                }
              });
      assertThat(stopped.answer())
          .satisfiesAnyOf(
              answer -> assertThat(answer).isEmpty(),
              answer -> assertThat(answer).startsWith("HTTP/1.1 400").contains("too slowly"));
      assertThat(crawling.answer()).startsWith("HTTP/1.1 400").contains("too slowly");
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(8));
      crawler.interrupt();
      crawler.join();
    }
  }

  @Test
  void halfRequestsDoNotKeepOthersFromBeingServed() throws IOException {
    List<RawHttp> half = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      half.add(open(true).say("GET /v1/openapi.json HTTP/1.1\r\nHost: r\r\nAuthoriz"));
    }

    assertThat(get(true, "/v1/openapi.json")).startsWith("HTTP/1.1 200");

    for (RawHttp one : half) {
      one.close();
    }
  }

  @Test
  void whoBearsNoTokenOrAWrongOneIsAskedForOne() throws IOException {
    String none = ask("GET", "/v1/openapi.json", "");
    assertThat(none)
        .startsWith("HTTP/1.1 401")
        .contains("WWW-Authenticate: Bearer", "application/problem+json", "\"unauthorized\"");
    assertThat(ask("GET", "/v1/openapi.json", "Authorization: Bearer rgn_wrong\r\n"))
        .startsWith("HTTP/1.1 401")
        .doesNotContain("rgn_wrong");
    assertThat(ask("GET", "/v1/openapi.json", "Authorization: Basic " + admin + "\r\n"))
        .startsWith("HTTP/1.1 401");
    assertThat(ask("GET", "/v1/nothing", "")).startsWith("HTTP/1.1 401");
  }

  @Test
  void roleThatIsTooLowIsRefusedAndThatIsKept() throws IOException {
    String viewer = tokens.add("eve", Role.VIEW, null);

    assertThat(ask("POST", "/v1/rule", "Authorization: Bearer " + viewer + "\r\n"))
        .startsWith("HTTP/1.1 403")
        .contains("needs the role admin", "eve has view");
    assertThat(ask("POST", "/v1/rule", "Authorization: Bearer " + admin + "\r\n"))
        .startsWith("HTTP/1.1 202");
    assertThat(audit)
        .extracting(entry -> entry.who() == null ? "" : entry.who().name(), Audit.Entry::status)
        .containsExactly(tuple("eve", 403), tuple("root", 202));
    assertThat(audit.getLast().job()).isEqualTo("job1");
    assertThat(audit.getLast().remote()).isEqualTo("127.0.0.1");
  }

  @Test
  void whoTriesTokensIsToldToWaitAndWhoHasOneIsNot() throws IOException {
    String last = "";
    for (int i = 0; i < 12; i++) {
      last = ask("GET", "/v1/openapi.json", "Authorization: Bearer rgn_guess" + i + "\r\n");
    }

    assertThat(last).startsWith("HTTP/1.1 429").containsPattern("Retry-After: [1-9]");
    assertThat(get(true, "/v1/openapi.json")).startsWith("HTTP/1.1 200");
    assertThat(audit).hasSize(10).allMatch(entry -> entry.status() == 401);
  }

  @Test
  void whoAsksTooOftenIsToldToWait() throws IOException {
    String answer = "";
    for (int i = 0; i < 80 && !answer.startsWith("HTTP/1.1 429"); i++) {
      answer = get(true, "/v1/look/desk");
    }

    assertThat(answer).startsWith("HTTP/1.1 429").contains("Retry-After: 1", "10 times a second");
    assertThat(get(false, "/v1/look/desk")).startsWith("HTTP/1.1 200");
  }

  @Test
  void changesAreFollowedOverTls() throws IOException {
    try (RawHttp reader = open(true).ask("GET", "/v1/changes", bearer(true), "")) {
      reader.until("event: reset");
      changes.tell("job", new JsonObject().with("n", 1));
      assertThat(reader.until("{\"n\":1}")).contains("event: job");
    }
    assertThat(ask("GET", "/v1/changes", "")).startsWith("HTTP/1.1 401");
  }

  @Test
  void whoseTokenIsRemovedFollowsNoLonger() throws IOException {
    String viewer = tokens.add("eve", Role.VIEW, null);
    String bearer = "Authorization: Bearer " + viewer + "\r\n";
    try (RawHttp reader = open(true).ask("GET", "/v1/changes", bearer, "")) {
      reader.until("event: reset");
      tokens.remove("eve");

      assertThat(reader.ended()).isTrue();
    }
  }

  @Test
  void whoseProcessAsksOnTheUnixSocketIsKnown() throws IOException {
    try (RawHttp http = open(false)) {
      assertThat(http.ask("POST", "/v1/rule", "", "").answer()).startsWith("HTTP/1.1 202");
    }

    assertThat(audit.getLast().who())
        .isEqualTo(new Principal("unix:" + System.getProperty("user.name"), Role.ADMIN));
  }

  private synchronized void told(Audit.Entry entry) {
    audit.add(entry);
  }

  private RawHttp open(boolean tls) throws IOException {
    URI uri = port.uri();
    return tls ? RawHttp.tcp(uri, trust) : RawHttp.unix(socket);
  }

  private String bearer(boolean tls) {
    return tls ? "Authorization: Bearer " + admin + "\r\n" : "";
  }

  private String get(boolean tls, String path) throws IOException {
    try (RawHttp http = open(tls)) {
      return http.ask("GET", path, bearer(tls), "").answer();
    }
  }

  private String ask(String method, String path, String headers) throws IOException {
    try (RawHttp http = open(true)) {
      return http.ask(method, path, headers, "").answer();
    }
  }

  private String put(boolean tls, String body) throws IOException {
    try (RawHttp http = open(tls)) {
      try {
        http.ask("PUT", "/v1/echo", bearer(tls), body);
      } catch (IOException e) {
        // Refused before everything was sent; the answer says why.
      }
      return http.answer();
    }
  }

  private static byte[] document() {
    return """
    {"paths": {
      "/v1/openapi.json": {"get": {"operationId": "getApi", "x-regen-role": "view"}},
      "/v1/changes": {"get": {"operationId": "followChanges", "x-regen-role": "view"}},
      "/v1/look/{name}": {"get": {"operationId": "look", "x-regen-role": "view"}},
      "/v1/rule": {"post": {"operationId": "rule", "x-regen-role": "admin"}},
      "/v1/echo": {"put": {"operationId": "echo", "x-regen-role": "view",
        "requestBody": {"content": {"application/json": {"schema": {"properties": {
          "a": {"type": "integer"}, "o": {"type": "object"}, "l": {"type": "array"}}}}}}}}}}
    """
        .getBytes(StandardCharsets.UTF_8);
  }
}
