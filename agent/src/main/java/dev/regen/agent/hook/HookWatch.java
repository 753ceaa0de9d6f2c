package dev.regen.agent.hook;

import dev.regen.runtime.oci.Answer;
import dev.regen.runtime.oci.HookCall;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Hears how long callers waited; waits for nothing itself. */
@FunctionalInterface
public interface HookWatch {
  /**
   * A call is answered.
   *
   * @param answer null if it failed here without one
   */
  void called(HookCall.Verb verb, @Nullable Answer answer, Duration took);
}
