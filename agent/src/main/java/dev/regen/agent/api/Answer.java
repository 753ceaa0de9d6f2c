package dev.regen.agent.api;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/** What a resource answers. */
public sealed interface Answer {

  /** A JSON object. */
  record Json(int status, JsonObject body) implements Answer {}

  /**
   * Bytes that are made while they are sent. A failure on the way breaks the answer off, so that
   * the caller cannot take it for whole.
   */
  record Stream(String contentType, Writer writer) implements Answer {}

  /**
   * What changes in a log, as server-sent events, until the reader goes. One that does not read is
   * sent away.
   *
   * @param after the place that the reader has reached, null if it has none
   */
  record Follow(ChangeLog log, @Nullable String after) implements Answer {}

  /** Makes the bytes of a {@link Stream}. */
  @FunctionalInterface
  interface Writer {
    void write(OutputStream out) throws IOException;
  }

  static Answer ok(JsonObject body) {
    return new Json(200, body);
  }

  /** An operation was begun; its job tells how it goes. */
  static Answer accepted(JsonObject job) {
    return new Json(202, job);
  }
}
