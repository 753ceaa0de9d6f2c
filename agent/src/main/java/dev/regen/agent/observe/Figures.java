package dev.regen.agent.observe;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** What shows the metrics, and what rings when they are bad: files for Grafana and Prometheus. */
public final class Figures {
  private Figures() {}

  /** JSON, as Grafana 9 and later imports it. */
  public static String dashboard() {
    return resource("dashboard.json");
  }

  /** YAML, for {@code rule_files}. */
  public static String alerts() {
    return resource("alerts.yml");
  }

  private static String resource(String name) {
    try (InputStream in = Figures.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("no " + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
