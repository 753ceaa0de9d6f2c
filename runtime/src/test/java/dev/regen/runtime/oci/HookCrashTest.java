package dev.regen.runtime.oci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.oci.HookCall.Verb;
import dev.regen.runtime.oci.OverlayHost.Created;
import dev.regen.runtime.overlay.LinkedTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Kills the hook before the first, second, third ... change it makes to the disk, at a start and at
 * an end; whoever is called next goes on, and no file of any run is missing.
 */
final class HookCrashTest {
  private static final int CHANGES_MAX = 200;

  @AutoClose private final OverlayHost host;

  /** What the engine does after the hook died. */
  enum Then {
    /** The front asks a process of its own, which does the same call again. */
    SAME_CALL,
    /** The front died too: the engine deletes by force. */
    DELETE_BY_FORCE,
    /** The front puts the upper away; whatever it starts then dies, and the engine removes all. */
    PUT_AWAY
  }

  /** Whether the layer of the run before is archived when the next one starts. */
  enum Archived {
    BEFORE,
    NEVER
  }

  HookCrashTest() throws IOException {
    host = new OverlayHost();
  }

  @ParameterizedTest
  @CsvSource({
    "true, SAME_CALL, BEFORE",
    "true, SAME_CALL, NEVER",
    "true, DELETE_BY_FORCE, BEFORE",
    "true, DELETE_BY_FORCE, NEVER",
    "false, SAME_CALL, BEFORE",
    "false, DELETE_BY_FORCE, BEFORE"
  })
  void stateSurvivesADeadHookAtEachStepOfAStart(boolean autoRemove, Then then, Archived archived)
      throws IOException {
    run(autoRemove, new LocalDisk(), 0);
    boolean finished = false;
    for (int crashAt = 1; !finished; crashAt++) {
      assertThat(crashAt).isLessThan(CHANGES_MAX);
      if (archived == Archived.BEFORE) {
        host.archive();
      }
      Created container = host.create(autoRemove);
      finished = survives(container, Verb.CREATE, CrashingDisk.dyingAt(crashAt));
      if (!finished && then == Then.DELETE_BY_FORCE) {
        host.extension(new LocalDisk()).handle(container.call(Verb.DELETE, true));
        host.gone(container);
        container = host.create(autoRemove);
      }
      if (!finished) {
        host.handle(container, Verb.CREATE);
      }

      assertHoldsRuns(container, crashAt);

      host.started(container);
      write(container, crashAt);
      host.end(container);
    }
    host.archive();
    assertThat(host.staged()).as("what is left in staging: %s", host.told).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({
    "true, SAME_CALL, false",
    "true, DELETE_BY_FORCE, false",
    "true, PUT_AWAY, false",
    "false, SAME_CALL, false",
    "false, SAME_CALL, true",
    "false, DELETE_BY_FORCE, true"
  })
  void stateSurvivesADeadHookAtEachStepOfAnEnd(boolean autoRemove, Then then, boolean facts)
      throws IOException {
    if (facts) {
      host.known = this::links;
    }
    boolean finished = false;
    for (int crashAt = 1; !finished; crashAt++) {
      assertThat(crashAt).isLessThan(CHANGES_MAX);
      Created container = host.create(autoRemove);
      host.handle(container, Verb.CREATE);
      assertHoldsRuns(container, crashAt - 1);
      host.started(container);
      write(container, crashAt - 1);

      finished = survives(container, Verb.DELETE, CrashingDisk.dyingAt(crashAt));
      if (!finished && then == Then.PUT_AWAY) {
        host.putAway(container);
      } else if (!finished) {
        boolean force = then == Then.DELETE_BY_FORCE;
        host.extension(new LocalDisk()).handle(container.call(Verb.DELETE, force));
      }
      host.gone(container);
      host.extension(new LocalDisk()).recover();

      assertThat(host.spool().list())
          .as("killed at change %d", crashAt)
          .singleElement()
          .matches(layer -> facts == (layer.kind() == FrozenLayer.Kind.LISTED));
      host.archive();
      assertThat(host.staged()).as("what is left in staging: %s", host.told).hasSize(1);
    }
  }

  @Test
  void upperThatTheFrontPutAwayIsTheStateOfTheNextRunThatFindsNoAgentEither() throws IOException {
    Created container = host.running(true);
    write(container, 0);
    host.putAway(container);
    host.gone(container);

    Created next = host.running(true);
    write(next, 1);
    host.putAway(next);
    host.gone(next);
    Created third = host.create(true);
    host.handle(third, Verb.CREATE);

    assertHoldsRuns(third, 2);
    assertThat(host.told).noneMatch(told -> told.contains("without an end"));
  }

  @Test
  void upperThatTheFrontPutAwayAgainstAnAgentThatGoesOnIsNeverTakenForItsEmptyTwin()
      throws IOException {
    Created container = host.running(true);
    write(container, 0);
    host.handle(container, Verb.DELETE);
    host.putAway(container);
    host.gone(container);
    host.extension(new LocalDisk()).recover();

    Created next = host.create(true);
    host.handle(next, Verb.CREATE);

    assertHoldsRuns(next, 1);
  }

  @Test
  void stateThatARunBeginsWithoutSinceEveryProcessDiedIsThereAfterItsEnd() throws IOException {
    boolean finished = false;
    for (int crashAt = 1; !finished; crashAt++) {
      assertThat(crashAt).isLessThan(CHANGES_MAX);
      try (OverlayHost unarchived = new OverlayHost()) {
        Created first = unarchived.running(true);
        write(first, 0);
        unarchived.end(first);
        Created next = unarchived.create(true);

        finished = survives(unarchived, next, Verb.CREATE, CrashingDisk.dyingAt(crashAt));
        if (Files.exists(next.merged().resolve("etc"))) {
          unarchived.started(next);
          unarchived.handle(next, Verb.DELETE);
        } else {
          unarchived.handle(next, Verb.CREATE_FAILED); // There is nothing to run in.
        }
        unarchived.gone(next);
        unarchived.extension(new LocalDisk()).recover();

        assertThat(unarchived.spool().list())
            .as("killed at change %d; %s", crashAt, unarchived.told)
            .anyMatch(HookCrashTest::holdsFirstRun)
            .allMatch(layer -> holdsFirstRun(layer) || layer.run().startedWithout() != null);
      }
    }
  }

  @Test
  void layerThatTheEngineHasBegunToRemoveIsNoState() throws IOException {
    boolean exchanged = false;
    for (int crashAt = 1; !exchanged; crashAt++) {
      assertThat(crashAt).isLessThan(CHANGES_MAX);
      Created container = host.running(true);
      write(container, 0);
      Files.writeString(container.merged().resolve("removed"), "by the engine");
      survives(container, Verb.DELETE, CrashingDisk.dyingAt(crashAt));
      exchanged = !Files.exists(container.upper().resolve("removed"));
      if (!exchanged) {
        host.beginsToRemove(container, "removed");
        host.extension(new LocalDisk()).recover();
        assertThat(host.spool().list()).as("killed at change %d", crashAt).isEmpty();
      }
      host.gone(container);
      host.extension(new LocalDisk()).recover();
    }
    assertThat(host.told).anyMatch(told -> told.contains("its engine was removing it"));
  }

  @Test
  void layerThatIsFrozenInPartIsNotTakenForTheWholeOfIt() throws IOException {
    host.known = this::links;
    Created container = host.running(false);
    write(container, 0);
    host.end(container);
    host.remove(container);
    host.pending = new Slow(Duration.ofHours(1));

    Created next = host.create(true);
    host.handle(next, Verb.CREATE);

    assertThat(next.merged().resolve("run0")).doesNotExist();
    assertThat(host.told).anyMatch(told -> told.contains("is not archived yet"));
    assertThat(host.spool().list()).hasSize(1);
    assertThat(host.spool().list().getFirst().tree().resolve("run0")).hasContent("run 0");
  }

  @Test
  void layerThatIsFrozenInPartIsWaitedForLongerThanOneThatCanBeMovedIn() throws IOException {
    host.known = this::links;
    Created container = host.running(false);
    write(container, 0);
    host.end(container);
    host.remove(container);
    host.pending = new Slow(Duration.ofSeconds(60));

    Created next = host.create(true);
    host.handle(next, Verb.CREATE);

    assertHoldsRuns(next, 1);
  }

  /** An agent that needs so long for what waits. */
  private final class Slow implements PendingLayers {
    private final Duration needed;

    private Slow(Duration needed) {
      this.needed = needed;
    }

    @Override
    public boolean awaitArchived(QueueName queue, Duration limit) {
      if (limit.compareTo(needed) < 0) {
        return false;
      }
      try {
        host.archive();
        return true;
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    }

    @Override
    public boolean takeOver(QueueName queue, Duration limit) {
      return true;
    }
  }

  /** A part that is all of it, so that nothing else is needed to tell what it held. */
  private boolean links(FrozenLayer layer, Path upper, Path into, Duration limit)
      throws IOException {
    LinkedTree.make(upper, into, limit);
    return true;
  }

  private void run(boolean autoRemove, Disk disk, int number) throws IOException {
    Created container = host.create(autoRemove);
    host.extension(disk).handle(container.call(Verb.CREATE, false));
    host.started(container);
    write(container, number);
    host.extension(disk).handle(container.call(Verb.DELETE, false));
    host.gone(container);
  }

  private boolean survives(Created container, Verb verb, Disk disk) {
    return survives(host, container, verb, disk);
  }

  private static boolean survives(OverlayHost host, Created container, Verb verb, Disk disk) {
    try {
      host.extension(disk).handle(container.call(verb, false));
      return true;
    } catch (CrashingDisk.Crash e) {
      return false;
    }
  }

  private static boolean holdsFirstRun(FrozenLayer layer) {
    return Files.exists(layer.tree().resolve("run0"));
  }

  private static void write(Created container, int number) throws IOException {
    Files.writeString(container.merged().resolve("run" + number), "run " + number);
    Files.deleteIfExists(container.merged().resolve("etc/deleted"));
  }

  /**
   * Runs 0 to {@code count} - 1 were written, and the image's file deleted by the first of them.
   */
  private void assertHoldsRuns(Created container, int count) {
    for (int number = 0; number < count; number++) {
      assertThat(container.merged().resolve("run" + number))
          .as("killed at change %d; %s", count, host.told)
          .hasContent("run " + number);
    }
    if (count > 0) {
      assertThat(container.merged().resolve("etc/deleted")).doesNotExist();
    }
  }
}
