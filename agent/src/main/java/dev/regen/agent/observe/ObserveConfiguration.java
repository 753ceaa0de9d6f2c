package dev.regen.agent.observe;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a process tells of itself besides its metrics.
 *
 * @param jsonLog whether the log is JSON, an object a line ({@code "log": "json"}, or {@code
 *     REGEN_LOG_FORMAT=json})
 * @param traces where traces go, as OTLP over HTTP ({@code traces}, or {@code
 *     OTEL_EXPORTER_OTLP_ENDPOINT}); null for nowhere
 */
public record ObserveConfiguration(boolean jsonLog, @Nullable URI traces) {
  public static final Set<String> KEYS = Set.of("log", "traces");

  /** As processes are that nothing is said to. */
  public static final ObserveConfiguration NONE = new ObserveConfiguration(false, null);

  private static final String TEXT = "text";
  private static final String JSON = "json";

  public ObserveConfiguration {
    if (traces != null && (traces.getHost() == null || !isHttp(traces))) {
      throw new IllegalArgumentException("traces go to http://HOST:PORT or https://HOST:PORT");
    }
  }

  /** What the file says goes before what the environment says. */
  public static ObserveConfiguration of(JsonObject json, Map<String, String> environment)
      throws IOException {
    String log = json.stringOrNull("log");
    String traces = json.stringOrNull("traces");
    return of(
        log == null ? environment.get("REGEN_LOG_FORMAT") : log,
        traces == null ? environment.get("OTEL_EXPORTER_OTLP_ENDPOINT") : traces);
  }

  /** Of a process without a configuration file, which sends no traces. */
  public static ObserveConfiguration of(Map<String, String> environment) {
    return of(environment.get("REGEN_LOG_FORMAT"), null);
  }

  private static ObserveConfiguration of(@Nullable String log, @Nullable String traces) {
    String format = log == null || log.isBlank() ? TEXT : log;
    if (!format.equals(TEXT) && !format.equals(JSON)) {
      throw new IllegalArgumentException("a log is text or json, not '" + format + "'");
    }
    return new ObserveConfiguration(
        format.equals(JSON), traces == null || traces.isBlank() ? null : URI.create(traces));
  }

  private static boolean isHttp(URI uri) {
    return "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
  }
}
