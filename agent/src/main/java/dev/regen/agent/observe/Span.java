package dev.regen.agent.observe;

import dev.regen.runtime.json.JsonObject;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * One thing that took a time.
 *
 * @param parent null for the first of its trace
 * @param failure why it failed; null if it did not
 */
record Span(
    String trace,
    String id,
    @Nullable String parent,
    String name,
    Instant begin,
    Instant end,
    Map<String, String> attributes,
    @Nullable String failure) {
  private static final int TRACE_BYTES = 16;
  private static final int SPAN_BYTES = 8;
  private static final int INTERNAL = 1;
  private static final int ERROR = 2;
  private static final long NANOS = 1_000_000_000;

  Span {
    attributes = Map.copyOf(attributes);
  }

  /** The first of a new trace. */
  static Span of(String name, Instant begin, Instant end, Map<String, String> attributes) {
    return new Span(
        random(TRACE_BYTES), random(SPAN_BYTES), null, name, begin, end, attributes, null);
  }

  Span failed(String why) {
    return new Span(trace, id, parent, name, begin, end, attributes, why);
  }

  /** A part of this. */
  Span part(String partName, Instant from, Instant to) {
    return new Span(trace, random(SPAN_BYTES), id, partName, from, to, Map.of(), null);
  }

  /**
   * As OTLP has it.
   *
   * <p>Source: opentelemetry-proto 1.x, trace.proto, and "OTLP/HTTP, JSON Protobuf Encoding": ids
   * are hexadecimal, 64-bit numbers are texts.
   */
  JsonObject json() {
    List<JsonObject> all = new ArrayList<>();
    new TreeMap<>(attributes).forEach((key, value) -> all.add(attribute(key, value)));
    JsonObject status = new JsonObject();
    if (failure != null) {
      status.with("code", ERROR).with("message", failure);
    }
    return new JsonObject()
        .with("traceId", trace)
        .with("spanId", id)
        .with("parentSpanId", parent == null ? "" : parent)
        .with("name", name)
        .with("kind", INTERNAL)
        .with("startTimeUnixNano", nanos(begin))
        .with("endTimeUnixNano", nanos(end))
        .with("attributes", all)
        .with("status", status);
  }

  static JsonObject attribute(String key, String value) {
    return new JsonObject()
        .with("key", key)
        .with("value", new JsonObject().with("stringValue", value));
  }

  private static String nanos(Instant time) {
    return String.valueOf(time.getEpochSecond() * NANOS + time.getNano());
  }

  /** It names, and guards nothing. */
  private static String random(int bytes) {
    byte[] some = new byte[bytes];
    ThreadLocalRandom.current().nextBytes(some);
    some[0] |= 1; // All zeros would be no id.
    return HexFormat.of().formatHex(some);
  }
}
