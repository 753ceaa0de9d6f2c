package dev.regen.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DurationsTest {
  @ParameterizedTest
  @CsvSource({
    "PT0S, 0 ms",
    "PT0.032S, 32 ms",
    "PT1S, 1.0 s",
    "PT59.94S, 59.9 s",
    "PT1M, 1 min 0 s",
    "PT2H3M59S, 2 h 3 min",
    "PT49H30M, 2 d 1 h",
    "never, never"
  })
  void durationIsSaidInAtMostTwoUnits(String iso, String words) {
    assertThat(Durations.of(iso)).isEqualTo(words);
  }
}
