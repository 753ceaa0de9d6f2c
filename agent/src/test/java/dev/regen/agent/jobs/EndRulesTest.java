package dev.regen.agent.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.LayerFacts;
import dev.regen.runtime.oci.SeenRun;
import dev.regen.snapshot.End;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The table of ends, row by row. */
final class EndRulesTest {
  private static final Instant ENDED = Instant.parse("2026-11-22T09:00:00Z");

  @ParameterizedTest(name = "shim died {0}, oom {1}, signal {2}, exit code {3}: {4}, good {5}")
  @CsvSource(
      nullValues = "-",
      value = {
        "false, false,  0,   0, EXITED,  YES",
        "false, false,  0,   1, EXITED,  NO",
        "false, false,  0, 137, EXITED,  NO",
        "false, false,  0,   -, UNKNOWN, UNKNOWN",
        "false, false, 15,   0, STOPPED, YES",
        "false, false, 15, 143, STOPPED, YES",
        "false, false, 15, 137, STOPPED, YES",
        "false, false, 15,   -, STOPPED, YES",
        "false, true,  15, 143, STOPPED, YES",
        "false, false,  9, 137, KILLED,  UNKNOWN",
        "false, false,  9,   -, KILLED,  UNKNOWN",
        "false, true,   0, 137, OOM,     NO",
        "false, true,   0,   -, OOM,     NO",
        "false, true,   0,   0, EXITED,  YES",
        "true,  false,  0, 137, CRASHED, NO",
        "true,  true,   9,   -, CRASHED, NO",
      })
  void rowOfTheTable(
      boolean shimDied,
      boolean oom,
      int signal,
      @Nullable Integer exitCode,
      End.Reason reason,
      End.Good good) {
    End end =
        EndRules.end(
            layer(shimDied, oom, signal, new JsonObject()), new ExitFacts(exitCode, false, 0));

    assertThat(end).isEqualTo(new End(reason, exitCode, good, Duration.ofMinutes(1)));
  }

  @Test
  void stopSignalOfTheContainerCountsAsStopped() {
    JsonObject spec =
        new JsonObject().with("config", new JsonObject().with("StopSignal", "SIGQUIT"));

    End end = EndRules.end(layer(false, false, 3, spec), new ExitFacts(131, false, 0));

    assertThat(end.reason()).isEqualTo(End.Reason.STOPPED);
  }

  @Test
  void anotherSignalIsNotWhyItEnded() {
    End end = EndRules.end(layer(false, false, 1, new JsonObject()), new ExitFacts(1, false, 0));

    assertThat(end.reason()).isEqualTo(End.Reason.EXITED);
  }

  @Test
  void signalThatOnlyTheEngineToldCountsWhereTheFrontNotedNone() {
    End end = EndRules.end(layer(false, false, 0, new JsonObject()), new ExitFacts(143, false, 15));

    assertThat(end.reason()).isEqualTo(End.Reason.STOPPED);
  }

  @Test
  void runThatBeganWithoutItsKeptStateIsNeverGood() {
    ExitFacts inOrder = new ExitFacts(0, false, 0);

    End end = EndRules.end(layer(false, false, 0, new JsonObject(), "damaged"), inOrder);

    assertThat(end.reason()).isEqualTo(End.Reason.EXITED);
    assertThat(end.good()).isEqualTo(End.Good.UNKNOWN);
  }

  private static FrozenLayer layer(boolean shimDied, boolean oom, int signal, JsonObject spec) {
    return layer(shimDied, oom, signal, spec, null);
  }

  private static FrozenLayer layer(
      boolean shimDied, boolean oom, int signal, JsonObject spec, @Nullable String startedWithout) {
    return new FrozenLayer(
        "job",
        new LayerFacts(new ContainerId("c"), new QueueName("desk"), 5, "", "", List.of(), spec),
        Path.of("/nowhere"),
        FrozenLayer.Kind.EXCHANGED,
        1,
        new SeenRun(ENDED.minusSeconds(60), ENDED, signal, oom, shimDied, startedWithout),
        List.of());
  }
}
