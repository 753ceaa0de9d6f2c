package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.api.RawHttp;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Who may do what on an agent's port, and what is kept of it; lists that change while read. */
final class AgentPortTest extends AgentWithoutEngine {
  @Override
  JsonObject configuration() {
    return super.configuration().with("listen", "127.0.0.1:0");
  }

  @Test
  void tokenMayDoWhatItsRoleSaysUntilItIsRemoved() throws Exception {
    spool("desk", NINE, "first");
    awaitIdle();
    String viewer = token("eve", "view");
    String operator = token("olga", "operate");

    assertThat(ask("GET", "/v1/queues", viewer)).startsWith("HTTP/1.1 200").contains("\"desk\"");
    assertThat(ask("GET", "/v1/queues", viewer + "x")).startsWith("HTTP/1.1 401");
    assertThat(ask("DELETE", "/v1/queues/desk", viewer)).startsWith("HTTP/1.1 403");
    assertThat(ask("GET", "/v1/queues/desk/snapshots/latest/archive", viewer))
        .startsWith("HTTP/1.1 403");
    assertThat(ask("GET", "/v1/audit", operator)).startsWith("HTTP/1.1 403");
    assertThat(ask("POST", "/v1/queues/desk/snapshots/latest/pin", operator))
        .startsWith("HTTP/1.1 200");

    assertThat(regen("token", "rm", "eve").code()).isZero();
    assertThat(ask("GET", "/v1/queues", viewer)).startsWith("HTTP/1.1 401");
    assertThat(regen("token", "rm", "eve").code()).isEqualTo(3);
  }

  @Test
  void tokensAreListedAndNeverShownAgain() throws IOException {
    String secret = token("olga", "operate");

    assertThat(regen("token", "ls").out()).contains("olga", "operate", "never");
    assertThat(regen("token", "ls", "--json").out()).doesNotContain(secret, "sha256");
    assertThat(regen("token", "add", "olga", "--role", "view").code()).isEqualTo(4);
    assertThat(regen("token", "add", "new", "--role", "king").err())
        .contains("view, operate or admin");
    assertThat(regen("token", "add", "new", "--role", "view", "--expires", "-1").code())
        .isEqualTo(2);
  }

  @Test
  void auditLogHasWhoDidWhat() throws Exception {
    spool("desk", NINE, "first");
    awaitIdle();
    String operator = token("olga", "operate");
    ask("POST", "/v1/queues/desk/snapshots/latest/pin", operator);
    ask("DELETE", "/v1/queues/desk", operator);
    ask("POST", "/v1/verify", operator);
    ask("POST", "/v1/keys", operator);
    regen("ls");

    List<JsonObject> entries = array(regen("audit", "--json"));
    assertThat(entries.stream().map(AgentPortTest::told))
        .containsSubsequence(
            "unix:root addToken 200 null",
            "olga pinSnapshot 200 127.0.0.1",
            "olga removeQueue 409 127.0.0.1",
            "olga verify 202 127.0.0.1",
            "olga makeKey 403 127.0.0.1");
    assertThat(entries.get(1).object("parts").string("queue")).isEqualTo("desk");
    assertThat(entries.get(3).stringOrNull("job")).isNotNull();
    assertThat(regen("audit").out()).contains("olga", "pinSnapshot", "desk latest");
    assertThat(Files.readString(directory.resolve("home/audit.jsonl"))).doesNotContain(operator);
  }

  /** One that is looked at while a queue is made before and another removed behind the place. */
  @Test
  void pagesShowEachRowOnceThoughRowsComeAndGo() throws Exception {
    for (int i = 10; i < 17; i++) {
      spool("q" + i, NINE.plusSeconds(i), "first " + i);
    }
    awaitIdle();
    String viewer = token("eve", "view");

    List<String> seen = new ArrayList<>();
    String cursor = "";
    for (int page = 0; cursor != null; page++) {
      JsonObject answer = json("/v1/queues?limit=2" + cursor, viewer);
      for (JsonObject queue : answer.objects("queues")) {
        seen.add(queue.string("name"));
      }
      String next = answer.stringOrNull("next");
      cursor = next == null ? null : "&cursor=" + next;
      if (page == 0) {
        assertThat(regen("rm", "--queue", "q11").code()).isZero();
        assertThat(regen("rm", "--queue", "q15").code()).isZero();
        spool("a", NINE, "before all");
        awaitIdle();
      }
    }

    assertThat(seen).containsExactly("q10", "q11", "q12", "q13", "q14", "q16");
  }

  @Test
  void newestComeFirstAndEachOlderPageHasWhatIsBefore() throws Exception {
    for (int i = 0; i < 7; i++) {
      spool("desk", NINE.plusSeconds(i), "state " + i);
      awaitIdle();
    }
    String viewer = token("eve", "view");
    for (String list : List.of("events", "jobs")) {
      Set<String> seen = new HashSet<>();
      String cursor = "";
      int rows = 0;
      while (cursor != null) {
        JsonObject answer = json("/v1/" + list + "?limit=2" + cursor, viewer);
        for (JsonObject row : answer.objects(list)) {
          seen.add(Objects.toString(row.members().get("id")));
          rows++;
        }
        String next = answer.stringOrNull("next");
        cursor = next == null ? null : "&cursor=" + next;
      }
      assertThat(rows).as(list).isGreaterThanOrEqualTo(7).isEqualTo(seen.size());
    }
    assertThat(array(regen("events", "-n", "3", "--json"))).hasSize(3);
  }

  @Test
  void cursorThatIsNoneIsRefused() throws IOException {
    String viewer = token("eve", "view");

    for (String nonsense :
        List.of("x", "%00", "cXVldWVzOg==", "ZXZlbnRzOjE", "=", "a".repeat(300))) {
      assertThat(ask("GET", "/v1/queues?cursor=" + nonsense, viewer))
          .as(nonsense)
          .startsWith("HTTP/1.1 400");
    }
    assertThat(ask("GET", "/v1/queues?limit=0", viewer)).startsWith("HTTP/1.1 400");
    assertThat(ask("GET", "/v1/events?cursor=ZXZlbnRzOng", viewer)).startsWith("HTTP/1.1 400");
  }

  @Test
  void environmentOfAContainerIsNotShownToWhoMayOnlyView() throws Exception {
    spool("desk", NINE, "first");
    awaitIdle();
    String path = "/v1/queues/desk/snapshots/latest";

    assertThat(json(path, token("olga", "operate")).has("spec")).isTrue();
    assertThat(json(path, token("eve", "view")).has("spec")).isFalse();
  }

  @Test
  void refusalsDoNotPushOutWhatWasDone() throws Exception {
    String viewer = token("eve", "view");
    for (int i = 0; i < 120; i++) {
      assertThat(ask("POST", "/v1/keys", viewer)).startsWith("HTTP/1.1 403");
    }

    assertThat(array(regen("audit", "-n", "1000", "--json")))
        .hasSizeBetween(50, 60)
        .first()
        .extracting(AgentPortTest::told)
        .isEqualTo("unix:root addToken 200 null");
  }

  @Test
  void socketIsNobodysButItsGroups() throws IOException {
    Path socket = directory.resolve("run/regen.sock");

    assertThat(Files.getAttribute(socket, "unix:mode")).isEqualTo(0140660);
  }

  private String token(String name, String role) {
    Result made = regen("token", "add", name, "--role", role);
    assertThat(made.err()).isEmpty();
    return made.out().strip();
  }

  private JsonObject json(String path, String token) throws IOException {
    String answer = ask("GET", path, token);
    assertThat(answer).startsWith("HTTP/1.1 200");
    return JsonObject.parse(answer.substring(answer.indexOf("\r\n\r\n") + 4));
  }

  private String ask(String method, String path, String token) throws IOException {
    URI uri = Objects.requireNonNull(agent.uri());
    try (RawHttp http = RawHttp.tcp(uri, null)) {
      return http.ask(method, path, "Authorization: Bearer " + token + "\r\n", "").answer();
    }
  }

  private static String told(JsonObject entry) {
    return entry.members().get("principal")
        + " "
        + entry.members().get("operation")
        + " "
        + entry.members().get("status")
        + " "
        + entry.members().get("remote");
  }
}
