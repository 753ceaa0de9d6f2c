package dev.regen.runtime.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Labels with a wrong value: the whole rule is said, so that one look mends it. */
final class ContainerSettingsWrongLabelTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "regen.queue|-desk|letters, digits, '_', '.', '-', at most 128, the first a letter or digit",
        "regen.keep|0|no number from 1 to 1000",
        "regen.exclude|tmp|'tmp' is no absolute path",
        "regen.on-failure|stop|'stop' is none of run, refuse",
        "regen.on-image-change|keep|'keep' is none of fresh, rebase, refuse",
      })
  void ruleIsSaid(String label, String value, String rule) {
    assertThatThrownBy(() -> ContainerSettings.of(Map.of(label, value), "desk"))
        .isInstanceOf(BadLabelException.class)
        .hasMessageStartingWith("label " + label + ": ")
        .hasMessageEndingWith(rule.startsWith("'tmp'") ? "below the container's root" : rule)
        .hasMessageContaining(rule);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/a,/b/c", "/a:/b/c", " /a ,\n/b/c,"})
  void pathsThatAreLeftOutAreReadTheSameForAPerson(String label) throws Exception {
    Map<String, String> labels = Map.of("regen.exclude", label);

    assertThat(ContainerSettings.excluded(labels)).containsExactly("/a", "/b/c");
    assertThat(ContainerSettings.of(labels, "desk"))
        .extracting(ContainerSettings::excludes)
        .isEqualTo(ContainerSettings.excluded(labels));
  }

  @ParameterizedTest
  @ValueSource(strings = {"/a*", "/a?/b", "/srv/[0-9]", "/ok,/a/\\*/b*"})
  void wildcardThatWouldLeaveNothingOutIsRefused(String label) {
    assertThatThrownBy(() -> ContainerSettings.of(Map.of("regen.exclude", label), "desk"))
        .isInstanceOf(BadLabelException.class)
        .hasMessageStartingWith("label regen.exclude: '" + label.replace("/ok,", "") + "' has a")
        .hasMessageContaining("name each path, or a directory above them");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"/pages/\\[id]|/pages/[id]", "/a\\*\\?|/a*?", "/a\\b|/a\\b", "/a]|/a]"})
  void backslashSaysThatTheCharacterItselfIsMeant(String label, String path) throws Exception {
    Map<String, String> labels = Map.of("regen.exclude", label);

    assertThat(ContainerSettings.excluded(labels)).containsExactly(path);
    assertThat(ContainerSettings.of(labels, "desk"))
        .extracting(ContainerSettings::excludes)
        .isEqualTo(ContainerSettings.excluded(labels));
  }
}
