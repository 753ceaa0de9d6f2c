package dev.regen.agent.api;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Hears of every request. */
@FunctionalInterface
public interface Meter {
  /**
   * One was answered.
   *
   * @param operation null if it was none of the document's, or its sender is not known
   * @param took until the answer began; of bytes that are made while they are sent, until it ended
   */
  void asked(@Nullable String operation, int status, Duration took);
}
