package dev.regen.runtime.oci;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Labels that Regen does not know. */
final class LabelNamesMisspeltTest {
  @Test
  void nearestKnownLabelIsNamed() {
    List<String> words =
        LabelNames.unknown(
            Set.of("regen.keeps", "regen.qeue", "regen.onfailure", "regen.queue", "com.example"));

    assertThat(words)
        .satisfiesExactly(
            keep -> assertThat(keep).contains("label regen.keeps").endsWith("does is regen.keep"),
            fail -> assertThat(fail).endsWith("does is regen.on-failure"),
            queue -> assertThat(queue).endsWith("does is regen.queue"));
  }

  @Test
  void hostileLabelsAreFewAndShort() {
    List<String> many = IntStream.range(0, 1000).mapToObj(i -> "regen.x\n" + i).toList();

    assertThat(LabelNames.unknown(many))
        .hasSizeLessThanOrEqualTo(10)
        .allMatch(words -> !words.contains("\n"));
    assertThat(LabelNames.unknown(List.of("regen." + "y".repeat(1_000_000))).getFirst())
        .hasSizeLessThan(200);
  }
}
