package dev.regen.snapshot.remote;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A server has not answered in time; who has another to turn to does not ask it once more. */
public final class TimedOut extends IOException {
  private static final long serialVersionUID = 1;

  public TimedOut(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
