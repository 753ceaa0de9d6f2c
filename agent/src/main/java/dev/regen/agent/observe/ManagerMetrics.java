package dev.regen.agent.observe;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Histogram;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** What a manager counts of what it is asked, and how its fleet stands. */
public final class ManagerMetrics {
  private static final double NANOS = 1e9;

  private final Counter requests;
  private final Histogram seconds;
  private final Counter received;
  private final Counter sent;

  /** What a request is about. */
  public enum Kind {
    BLOB,
    UPLOAD,
    MANIFEST,
    TAGS,
    FLEET,
    OTHER;

    String word() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /** How the fleet stands, in words and numbers. */
  @FunctionalInterface
  public interface Counts {
    /** By state. */
    Map<String, Long> now() throws IOException;
  }

  public ManagerMetrics(Exposition to) {
    requests =
        to.counter(
            "regen_manager_requests_total", "Requests, by what they are about.", "kind", "status");
    seconds = to.work("regen_manager_seconds", "From a request to the end of its answer.", "kind");
    received =
        to.counter("regen_manager_received_bytes_total", "Bytes of requests' bodies.", "kind");
    sent = to.counter("regen_manager_sent_bytes_total", "Bytes of answers' bodies.", "kind");
    for (Kind kind : Kind.values()) {
      List.of("200", "500").forEach(status -> requests.initLabelValues(kind.word(), status));
      seconds.initLabelValues(kind.word());
      received.initLabelValues(kind.word());
      sent.initLabelValues(kind.word());
    }
  }

  /** The nodes of a fleet, its jobs and its alarms. */
  public static void fleet(Exposition to, Counts nodes, Counts jobs, Counts alarms) {
    counted(to, "regen_fleet_nodes", "Nodes, by whether they are connected.", nodes);
    counted(to, "regen_fleet_jobs", "Operations of the fleet that have not ended.", jobs);
    counted(to, "regen_fleet_alarms", "Alarms, by whether somebody has acknowledged.", alarms);
  }

  private static void counted(Exposition to, String name, String help, Counts counts) {
    to.gauge(
        name,
        help,
        told -> counts.now().forEach((state, count) -> told.call((double) count, state)),
        "state");
  }

  /** A request was answered. */
  public void asked(Kind kind, int status, Duration took, long bytesIn, long bytesOut) {
    String word = kind.word();
    requests.labelValues(word, String.valueOf(status)).inc();
    seconds.labelValues(word).observe(took.toNanos() / NANOS);
    received.labelValues(word).inc((double) Math.max(0, bytesIn));
    sent.labelValues(word).inc((double) Math.max(0, bytesOut));
  }
}
