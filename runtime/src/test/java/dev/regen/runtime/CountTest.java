package dev.regen.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class CountTest {
  @Test
  void oneIsSingular() {
    assertThat(Count.of(1, "chunk")).isEqualTo("1 chunk");
    assertThat(Count.of(0, "chunk")).isEqualTo("0 chunks");
    assertThat(Count.of(1, "entry")).isEqualTo("1 entry");
    assertThat(Count.of(2, "entry")).isEqualTo("2 entries");
  }
}
