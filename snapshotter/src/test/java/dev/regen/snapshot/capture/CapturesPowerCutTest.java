package dev.regen.snapshot.capture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.durable.FaultyDisk;
import dev.regen.runtime.durable.FaultyDisk.Survivors;
import dev.regen.runtime.durable.PowerCuts;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Cuts the power, or kills the process, at every file operation of a capture into a full queue, by
 * which the head leaves. {@link Home#trees} reads every chunk of every element.
 */
final class CapturesPowerCutTest {
  private static final Path DIRECTORY = Path.of("/home");
  private static final List<String> BEFORE = List.of("a-b", "b-c");
  private static final List<String> AFTER = List.of("b-c", "c-d");

  @Test
  void aFirstCaptureIsWholeOrAbsent() throws Exception {
    PowerCuts.everywhere(
        disk -> {},
        disk -> open(disk).capture(1, "a-b", Home.GOOD),
        (disk, finished) -> {
          assertThat(open(disk).trees())
              .isIn(finished ? List.of("a-b") : List.of(), List.of("a-b"));
          finishesAndIsClean(disk, 1, "a-b", List.of("a-b"));
        });
  }

  @Test
  void aCaptureIntoAFullQueueIsWholeOrAbsentAndLosesNothing() throws Exception {
    PowerCuts.everywhere(
        CapturesPowerCutTest::fill,
        disk -> open(disk).capture(3, "c-d", Home.GOOD),
        (disk, finished) -> {
          assertThat(open(disk).trees()).isIn(finished ? AFTER : BEFORE, AFTER);
          finishesAndIsClean(disk, 3, "c-d", AFTER);
        });
  }

  @Test
  void anEndThatChangedNothingLosesNothing() throws Exception {
    PowerCuts.everywhere(
        CapturesPowerCutTest::fill,
        disk -> open(disk).capture(3, "b-c", Home.GOOD),
        (disk, finished) -> {
          assertThat(open(disk).trees()).isEqualTo(BEFORE);
          finishesAndIsClean(disk, 3, "b-c", BEFORE);
        });
  }

  @Test
  void aRemovalDeletesNothingThatIsStillNamed() throws Exception {
    PowerCuts.everywhere(
        CapturesPowerCutTest::fill,
        disk -> {
          Home home = open(disk);
          home.captures.removals().remove(Home.DESK, home.queue().elements().getFirst().id());
        },
        (disk, finished) -> {
          List<String> gone = List.of("b-c");
          assertThat(open(disk).trees()).isIn(finished ? gone : BEFORE, gone);
          finishesAndIsClean(disk, 3, "c-d", AFTER);
        });
  }

  @Test
  void aSweepDeletesNothingThatIsStillNamed() throws Exception {
    PowerCuts.everywhere(
        disk -> {
          fill(disk);
          disk.cutPowerIn(9, 0);
          assertThat(disk.survives(() -> open(disk).capture(3, "c-d", Home.GOOD))).isFalse();
          disk.nextProcess();
        },
        disk -> open(disk).captures.removals().sweep(),
        (disk, finished) -> {
          assertThat(open(disk).trees()).isEqualTo(BEFORE);
          finishesAndIsClean(disk, 3, "c-d", AFTER);
        });
  }

  /** A name that one process made and another one found must last before anybody relies on it. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aKilledProcessThenAPowerCutLoseNothingThatWasReportedDone(boolean sweeps) throws Exception {
    for (long killedAt = 1; ; killedAt++) {
      FaultyDisk disk = new FaultyDisk();
      fill(disk);
      disk.cutPowerIn(killedAt, killedAt);
      if (disk.survives(() -> open(disk).capture(3, "c-d", Home.GOOD))) {
        assertThat(killedAt).as("operations of a capture").isGreaterThan(20);
        return;
      }
      Home next = open(disk.nextProcess());
      if (sweeps) {
        next.captures.removals().sweep();
      }
      next.capture(3, "c-d", Home.GOOD);

      FaultyDisk after = disk.reboot(Survivors.ONLY_FORCED, 0);
      assertThat(open(after).trees()).as("killed at operation %d", killedAt).isEqualTo(AFTER);
    }
  }

  @Test
  void aKilledProcessThenAPowerCutAnywhereLeaveTheQueueWhole() throws Exception {
    for (long killedAt = 1; killedAt <= 40; killedAt += 2) {
      for (long cutAt = 1; cutAt <= 60; cutAt += 1) {
        FaultyDisk disk = new FaultyDisk();
        fill(disk);
        disk.cutPowerIn(killedAt, killedAt);
        disk.survives(() -> open(disk).capture(3, "c-d", Home.GOOD));
        FaultyDisk next = disk.nextProcess();
        next.cutPowerIn(cutAt, cutAt);
        next.survives(() -> {
          open(next).captures.removals().sweep();
          open(next).capture(3, "c-d", Home.GOOD);
        });

        FaultyDisk after = next.reboot(Survivors.ONLY_FORCED, 0);
        assertThat(open(after).trees())
            .as("killed at %d, power cut at %d", killedAt, cutAt)
            .isIn(BEFORE, AFTER);
        finishesAndIsClean(after, 3, "c-d", AFTER);
      }
    }
  }

  /** The agent after a crash: sweeps, does the job again; nothing is there twice or too much. */
  private static void finishesAndIsClean(
      FaultyDisk disk, int number, String tree, List<String> trees) throws Exception {
    Home home = open(disk);
    home.captures.removals().sweep();
    home.capture(number, tree, Home.GOOD);
    assertThat(home.trees()).isEqualTo(trees);
    Verified verified = home.captures.checks().verify(null);
    assertThat(verified.problems()).isEmpty();
    assertThat(verified.unreferencedManifests()).isZero();
    assertThat(verified.unreferencedChunks()).isZero();
  }

  private static void fill(FaultyDisk disk) throws Exception {
    Home home = open(disk);
    home.capture(1, "a-b", Home.GOOD);
    home.capture(2, "b-c", Home.GOOD);
  }

  private static Home open(FaultyDisk disk) throws Exception {
    return new Home(disk, DIRECTORY);
  }
}
