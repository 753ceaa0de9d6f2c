package dev.regen.agent.jobs;

import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.SeenRun;
import dev.regen.snapshot.End;
import dev.regen.snapshot.End.Good;
import dev.regen.snapshot.End.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Why a run ended, and whether the state it left is worth coming back to.
 *
 * <table>
 * <caption>The first row that fits decides</caption>
 * <tr><th>what is known</th><th>reason</th><th>good</th></tr>
 * <tr><td>the shim died</td><td>crashed</td><td>no</td></tr>
 * <tr><td>the engine sent the stop signal first</td><td>stopped</td><td>yes</td></tr>
 * <tr><td>exit code 0</td><td>exited</td><td>yes</td></tr>
 * <tr><td>out of memory</td><td>oom</td><td>no</td></tr>
 * <tr><td>the engine sent SIGKILL first</td><td>killed</td><td>unknown</td></tr>
 * <tr><td>another exit code</td><td>exited</td><td>no</td></tr>
 * <tr><td>nothing</td><td>unknown</td><td>unknown</td></tr>
 * </table>
 *
 * <p>A container may live on after the kernel has killed one of its processes for want of memory;
 * so an end in order goes before that. A stop that somebody asked for is in order whatever came of
 * the signal: most shells as process 1 ignore it, and are killed after the engine's grace time
 * (exit code 137); what they left is what was to be kept. A run that began without the state that
 * was kept is never good: it must not take the place of the newest good snapshot.
 */
public final class EndRules {
  private static final int KILL = 9;
  private static final int TERM = 15;
  private static final Map<String, Integer> STOP_SIGNALS =
      Map.of(
          "HUP", 1, "INT", 2, "QUIT", 3, "USR1", 10, "USR2", 12, "TERM", 15, "WINCH", 28, "PWR",
          30);

  private EndRules() {}

  /** The end of the run that left {@code layer}. */
  public static End end(FrozenLayer layer, ExitFacts facts) {
    End end = byCircumstances(layer, facts);
    return layer.run().startedWithout() != null && end.good() == Good.YES
        ? new End(end.reason(), end.exitCode(), Good.UNKNOWN, end.ran())
        : end;
  }

  private static End byCircumstances(FrozenLayer layer, ExitFacts facts) {
    SeenRun run = layer.run();
    int signal = run.signal() != 0 ? run.signal() : facts.signal();
    boolean stopped = signal == TERM || (signal != 0 && signal == stopSignal(layer.facts().spec()));
    return end(
        run.shimDied(),
        run.oom() || facts.oom(),
        stopped,
        signal == KILL,
        facts.exitCode(),
        ran(run.startedAt(), run.endedAt()));
  }

  private static End end(
      boolean shimDied,
      boolean oom,
      boolean stopped,
      boolean killed,
      @Nullable Integer exitCode,
      @Nullable Duration ran) {
    if (shimDied) {
      return new End(Reason.CRASHED, exitCode, Good.NO, ran);
    }
    if (stopped) {
      return new End(Reason.STOPPED, exitCode, Good.YES, ran);
    }
    if (exitCode != null && exitCode == 0) {
      return new End(Reason.EXITED, exitCode, Good.YES, ran);
    }
    if (oom) {
      return new End(Reason.OOM, exitCode, Good.NO, ran);
    }
    if (killed) {
      return new End(Reason.KILLED, exitCode, Good.UNKNOWN, ran);
    }
    return exitCode == null
        ? new End(Reason.UNKNOWN, null, Good.UNKNOWN, ran)
        : new End(Reason.EXITED, exitCode, Good.NO, ran);
  }

  private static @Nullable Duration ran(@Nullable Instant from, Instant to) {
    return from == null || to.isBefore(from) ? null : Duration.between(from, to);
  }

  /** The signal that {@code docker stop} sends to this container; 0 if that is not known. */
  private static int stopSignal(JsonObject spec) {
    if (!(spec.members().get("config") instanceof JsonObject config)
        || !(config.members().get("StopSignal") instanceof String name)) {
      return TERM;
    }
    if (name.matches("[0-9]{1,3}")) {
      return Integer.parseInt(name);
    }
    return STOP_SIGNALS.getOrDefault(name.startsWith("SIG") ? name.substring(3) : name, 0);
  }
}
