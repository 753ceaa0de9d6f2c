package dev.regen.agent.jobs;

import org.jspecify.annotations.Nullable;

/**
 * What the engine told about an end.
 *
 * @param exitCode null where it told none
 * @param signal the first signal that it sent in that run, 0 for none
 */
public record ExitFacts(@Nullable Integer exitCode, boolean oom, int signal) {
  public static final ExitFacts NONE = new ExitFacts(null, false, 0);
}
