package dev.regen.snapshot;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Why and how a run ended.
 *
 * @param exitCode null where nobody said
 * @param ran how long it had run, null where nobody knows
 * @param inconsistent whether the layer was written to while it was read, so that its files may be
 *     of different moments; never good then
 */
public record End(
    Reason reason,
    @Nullable Integer exitCode,
    Good good,
    @Nullable Duration ran,
    boolean inconsistent) {
  public End {
    if (inconsistent && good == Good.YES) {
      throw new IllegalArgumentException("inconsistent and good");
    }
  }

  /** An end whose layer stayed as it was while it was read. */
  public End(Reason reason, @Nullable Integer exitCode, Good good, @Nullable Duration ran) {
    this(reason, exitCode, good, ran, false);
  }

  /** The same end, of a layer that was written to while it was read. */
  public End asInconsistent() {
    return new End(reason, exitCode, good == Good.YES ? Good.UNKNOWN : good, ran, true);
  }

  /** What ended the run. */
  public enum Reason {
    /** The process ended by itself; the exit code says how. */
    EXITED,
    /** The engine asked it to stop: {@code docker stop}, or the engine's own end. */
    STOPPED,
    /** The engine killed it: {@code docker kill}, {@code docker rm -f}. */
    KILLED,
    /** The kernel killed it for want of memory. */
    OOM,
    /** Its shim died and took it along. */
    CRASHED,
    /** The host went down. */
    HOST_CRASHED,
    /** It did not end: captured by {@code regen capture} or before a restore. */
    CAPTURED,
    /** It never ran here: {@code regen import}. */
    IMPORTED,
    /** Nobody said. */
    UNKNOWN
  }

  /** Whether the state it left is worth coming back to. */
  public enum Good {
    YES,
    NO,
    UNKNOWN
  }
}
