package dev.regen.agent.observe;

import dev.regen.agent.api.Answer;
import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.io.OutputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The metrics of one process, in Prometheus' text format 0.0.4, which every version of it reads.
 *
 * <p>A label's values come from sets that are small and known: no name that a user chose is one.
 */
public final class Exposition {
  public static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

  /** From a hook that finds everything ready to a start that waits for an archive. */
  private static final double[] CALL_SECONDS = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60
  };

  private static final double[] WORK_SECONDS = {
    0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600
  };

  private static final Logger LOG = LoggerFactory.getLogger(Exposition.class);

  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final PrometheusTextFormatWriter writer = PrometheusTextFormatWriter.create();

  public void write(OutputStream out) throws IOException {
    writer.write(out, registry.scrape(), EscapingScheme.UNDERSCORE_ESCAPING);
  }

  /** As the API answers. */
  public Answer answer() {
    return new Answer.Stream(CONTENT_TYPE, this::write);
  }

  Counter counter(String name, String help, String... labels) {
    return Counter.builder().name(name).help(help).labelNames(labels).register(registry);
  }

  /** Of what one waits for at once. */
  Histogram calls(String name, String help, String... labels) {
    return seconds(CALL_SECONDS, name, help, labels);
  }

  /** Of what may take long. */
  Histogram work(String name, String help, String... labels) {
    return seconds(WORK_SECONDS, name, help, labels);
  }

  private Histogram seconds(double[] bounds, String name, String help, String... labels) {
    return Histogram.builder()
        .name(name)
        .help(help)
        .labelNames(labels)
        .classicOnly()
        .classicUpperBounds(bounds)
        .withoutExemplars()
        .register(registry);
  }

  /** A value that is asked for when the metrics are; it is left out where that fails. */
  void gauge(String name, String help, Value value) {
    gauge(name, help, told -> told.call(value.now()));
  }

  /** As above, with labels. */
  void gauge(String name, String help, Values values, String... labels) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .labelNames(labels)
        .callback(told -> {
          try {
            values.tell(told::call);
          } catch (IOException | RuntimeException e) {
            LOG.debug("there is no {}", name, e);
          }
        })
        .register(registry);
  }

  /** A value now. */
  @FunctionalInterface
  interface Value {
    double now() throws IOException;
  }

  /** Values now. */
  @FunctionalInterface
  interface Values {
    void tell(Told told) throws IOException;
  }

  /** Takes a value and its labels. */
  @FunctionalInterface
  interface Told {
    void call(double value, String... labels);
  }
}
