package dev.regen.agent.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.jobs.Batches.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class BatchesTest {
  private static final Duration INTERVAL = Duration.ofSeconds(2);
  private static final long SECOND = 1_000_000_000;

  private final Batches batches = new Batches(INTERVAL, 10);
  private long now = 5 * SECOND;

  /** s success, c no capacity, i bad input, r still runs: one letter for each of a batch of 10. */
  @ParameterizedTest
  @CsvSource({
    "ssssssssss, 10",
    "sssscccccc, 4",
    "cccccccccc, 1",
    "sssssssssc, 9",
    "iiiiiiiiii, 10",
    "ssssssssii, 10",
    "ssssssccci, 7",
    "srrrrrrrcc, 8",
    "srrrrrrrrr, 10",
  })
  void sizeFallsToWhatDidNotLackCapacity(String outcomes, int size) {
    batch(outcomes);

    assertThat(sizeInTheNextInterval()).isEqualTo(size);
  }

  @Test
  void sizeGrowsByOneWithEachBatchThatSucceedsWholeUpToTheSetting() {
    batch("sccccccccc");
    List<Integer> sizes = new ArrayList<>(List.of(sizeInTheNextInterval()));

    for (int i = 0; i < 12; i++) {
      batch("s".repeat(batches.size()));
      sizes.add(sizeInTheNextInterval());
    }

    assertThat(sizes).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10);
  }

  @Test
  void badInputNeitherGrowsNorFalls() {
    batch("sssscccccc");
    assertThat(sizeInTheNextInterval()).isEqualTo(4);

    batch("sssi");

    assertThat(sizeInTheNextInterval()).isEqualTo(4);
  }

  @Test
  void latecomerOfAnOldBatchNeverRaisesTheSize() {
    Batches.Batch old = batch("ssssssssrr");
    now += INTERVAL.toNanos();
    batch("ccccccccss");
    assertThat(sizeInTheNextInterval()).isEqualTo(2);

    batches.ended(old, Outcome.LACKED_CAPACITY);

    assertThat(batches.size()).isEqualTo(2);
  }

  @Test
  void oneThatComesLateInAnIntervalIsStartedAtOnceIfThereIsRoom() {
    batch("rrrrrrrrr");
    now += SECOND;

    assertThat(batches.mayStart(now)).isTrue();
    batches.start(now);

    assertThat(batches.mayStart(now)).isFalse();
    assertThat(batches.nanosLeft(now)).isEqualTo(SECOND);
    assertThat(batches.mayStart(now + SECOND - 1)).isFalse();
    assertThat(batches.mayStart(now + SECOND)).isTrue();
  }

  /** All of them are started at this moment, and end in the order of the letters. */
  private Batches.Batch batch(String outcomes) {
    assertThat(batches.mayStart(now)).isTrue();
    Batches.Batch batch = batches.start(now);
    for (int i = 1; i < outcomes.length(); i++) {
      assertThat(batches.mayStart(now)).isTrue();
      assertThat(batches.start(now)).isSameAs(batch);
    }
    for (int i = 0; i < outcomes.length(); i++) {
      switch (outcomes.charAt(i)) {
        case 's' -> batches.ended(batch, Outcome.SUCCESS);
        case 'c' -> batches.ended(batch, Outcome.LACKED_CAPACITY);
        case 'i' -> batches.ended(batch, Outcome.FAILED_OTHERWISE);
        default -> {}
      }
    }
    return batch;
  }

  private int sizeInTheNextInterval() {
    now += INTERVAL.toNanos();
    assertThat(batches.mayStart(now)).isTrue();
    return batches.size();
  }
}
