package dev.regen.agent.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Somebody who asks too often, while time is what the test says. */
final class RateLimitTest {
  private long nanos;
  private final RateLimit limit = new RateLimit(2, 4, () -> nanos);

  @Test
  void burstIsAllowedAndThenTheRate() {
    for (int i = 0; i < 4; i++) {
      assertThat(limit.take("ann")).isNull();
    }
    assertThat(limit.take("ann")).isEqualTo(Duration.ofMillis(500));

    nanos += Duration.ofMillis(500).toNanos();
    assertThat(limit.take("ann")).isNull();
    assertThat(limit.take("ann")).isNotNull();
  }

  @Test
  void oneDoesNotUseUpWhatOthersHave() {
    for (int i = 0; i < 10; i++) {
      limit.take("ann");
    }

    assertThat(limit.take("bob")).isNull();
  }

  @Test
  void restGivesNoMoreThanTheBurst() {
    limit.take("ann");
    nanos += Duration.ofDays(1).toNanos();

    int allowed = 0;
    while (limit.take("ann") == null) {
      allowed++;
    }
    assertThat(allowed).isEqualTo(4);
  }
}
