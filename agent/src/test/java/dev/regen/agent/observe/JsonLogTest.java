package dev.regen.agent.observe;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;

/** A line of the log as JSON. */
final class JsonLogTest {
  private final Logger logger = new LoggerContext().getLogger("dev.regen.agent.jobs.Jobs");

  @Test
  void lineSaysWhichOperationItBelongsTo() throws IOException {
    String line;
    try (var _ = MDC.putCloseable("job", "a1b2c3d4")) {
      line = line("two\nlines \"quoted\"", null);
    }

    assertThat(line).endsWith("}\n").hasLineCount(1);
    JsonObject json = JsonObject.parse(line);
    assertThat(json.string("message")).isEqualTo("two\nlines \"quoted\"");
    assertThat(json.string("job")).isEqualTo("a1b2c3d4");
    assertThat(json.string("level")).isEqualTo("WARN");
    assertThat(json.string("logger")).isEqualTo("Jobs");
    assertThat(json.instant("time")).isNotNull();
  }

  @Test
  void failureIsThereWithItsStack() throws IOException {
    JsonObject json = JsonObject.parse(line("failed", new IOException("no room")));

    assertThat(json.string("error")).contains("no room", "JsonLogTest");
    assertThat(json.has("job")).isFalse();
  }

  private String line(String message, @org.jspecify.annotations.Nullable Throwable error) {
    LoggingEvent event =
        new LoggingEvent(getClass().getName(), logger, Level.WARN, message, error, null);
    event.setMDCPropertyMap(
        MDC.getCopyOfContextMap() == null ? java.util.Map.of() : MDC.getCopyOfContextMap());
    return new String(new JsonLog().encode(event), StandardCharsets.UTF_8);
  }
}
