package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.read.ListAppender;
import dev.regen.agent.api.RawHttp;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/** Secrets that are given where they belong, and where they do not: nothing repeats them. */
@Timeout(180)
final class SecretsNotToldTest extends AgentWithoutEngine {
  /** In each secret of this test. */
  private static final String CANARY = "Kanarienvogel7";

  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final List<String> said = new ArrayList<>();

  @Override
  JsonObject configuration() {
    return super.configuration().with("listen", "127.0.0.1:0");
  }

  @BeforeEach
  void listenToTheLog() {
    System.setProperty("aws.accessKeyId", "AKIA" + CANARY);
    System.setProperty("aws.secretAccessKey", CANARY + "secret");
    log.start();
    regenLog().setLevel(Level.TRACE);
    root().addAppender(log);
  }

  @AfterEach
  void leaveTheLog() {
    root().detachAppender(log);
    regenLog().setLevel(null);
    System.clearProperty("aws.accessKeyId");
    System.clearProperty("aws.secretAccessKey");
  }

  @Test
  void noSecretIsInALogAnErrorAnEventOrTheAudit() throws Exception {
    spool("desk", NINE, "first");
    awaitIdle();
    Path token = secretFile("token", CANARY + "0123456789abcdef");
    List<String> stores =
        List.of(
            "https://user:" + CANARY + "@127.0.0.1:1",
            "http://" + CANARY + ":x@127.0.0.1:1,http://127.0.0.1:2",
            "s3://AKIA:" + CANARY + "@bucket",
            "s3://bucket?secret-key=" + CANARY,
            "s3://bucket?endpoint=http://a:" + CANARY + "@127.0.0.1:1",
            "s3://bucket?endpoint=http://127.0.0.1:1&region=r",
            "http://127.0.0.1:1?token=" + CANARY,
            "http://127.0.0.1:1?" + CANARY,
            "http://127.0.0.1:1;" + CANARY + "?replicas=1",
            "http://127.0.0.1:1?token-file=" + token);
    for (String store : stores) {
      hear(regen("push", "desk", "--no-image", "--store", store));
    }
    hear(regen("ls", "--store", stores.getFirst()));
    for (String manager :
        List.of(
            "https://user:" + CANARY + "@127.0.0.1:1",
            "http://user:a b" + CANARY + "@127.0.0.1:1",
            "http://127.0.0.1:1?" + CANARY,
            "http://127.0.0.1:1?token=" + CANARY,
            "http://127.0.0.1:1?token-file=" + token)) {
      hear(regen("fleet", "nodes", "--manager", manager));
      hear(regen("move", "desk", "--to", "n2", "--manager", manager));
    }
    hear(regen("restore", "desk", "--from", stores.getFirst()));

    String secret = regen("token", "add", "olga", "--role", "operate").out().strip();
    for (String bearer : List.of(secret, "rgn_" + CANARY, secret + CANARY)) {
      hear(ask("GET", "/v1/queues?access_token=" + CANARY, bearer, ""));
      hear(ask("PUT", "/v1/queues/desk/keep", bearer, "{\"keep\":" + CANARY + "}"));
      hear(ask("POST", "/v1/keys", bearer, ""));
      hear(ask("DELETE", "/v1/tokens/" + bearer, bearer, ""));
    }
    hear(regen("token", "rm", "rgn_" + CANARY.repeat(3)));
    hear(regen("token", "rm", secret));
    hear(regen("events", "--json"));
    hear(regen("jobs", "--json"));
    hear(regen("audit", "--json"));
    hear(regen("token", "ls", "--json"));

    for (String one : said) {
      assertThat(one).as("said").doesNotContain(CANARY, secret);
    }
    for (ILoggingEvent event : List.copyOf(log.list)) {
      String trace =
          event.getThrowableProxy() == null
              ? ""
              : ThrowableProxyUtil.asString(event.getThrowableProxy());
      assertThat(event.getFormattedMessage() + trace).as("log").doesNotContain(CANARY, secret);
    }
    assertThat(log.list).as("the log was listened to").isNotEmpty();
    try (Stream<Path> files = Files.walk(directory.resolve("home"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertThat(Files.readString(file, StandardCharsets.ISO_8859_1))
            .as("%s", file)
            .doesNotContain(CANARY, secret);
      }
    }
  }

  private void hear(Result result) {
    assertThat(result.out() + result.err()).isNotEmpty();
    said.add(result.out() + result.err());
  }

  private void hear(String answer) {
    assertThat(answer).startsWith("HTTP/1.1 4");
    said.add(answer);
  }

  private String ask(String method, String path, String bearer, String body) throws IOException {
    URI uri = Objects.requireNonNull(agent.uri());
    try (RawHttp http = RawHttp.tcp(uri, null)) {
      return http.ask(method, path, "Authorization: Bearer " + bearer + "\r\n", body).answer();
    }
  }

  private Path secretFile(String name, String content) throws IOException {
    Path file = Files.writeString(directory.resolve(name), content);
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
  }

  private static Logger root() {
    return (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  }

  private static Logger regenLog() {
    return (Logger) LoggerFactory.getLogger("dev.regen");
  }
}
