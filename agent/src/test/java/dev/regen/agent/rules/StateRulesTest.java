package dev.regen.agent.rules;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.rules.StateRules.QueueState;
import dev.regen.agent.rules.StateRules.SnapshotState;
import dev.regen.agent.rules.StateRules.StoredState;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The whole table: each state by each action. */
final class StateRulesTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          COMPLETE     | false | show diff export mount restore push pin unpin remove encrypt decrypt
          COMPLETE     | true  | show diff export mount restore push pin unpin encrypt decrypt
          INCONSISTENT | false | show diff export mount restore push pin unpin remove encrypt decrypt
          INCONSISTENT | true  | show diff export mount restore push pin unpin encrypt decrypt
          LOCKED       | false | show push pin unpin remove
          LOCKED       | true  | show push pin unpin
          DAMAGED      | false | remove
          DAMAGED      | true  | ''
          UPLOADING    | false | show cancel
          WAITING      | false | ''
          ARCHIVING    | false | ''
          FAILED       | false | ''
          """)
  void snapshot(SnapshotState state, boolean held, String allowed) {
    assertThat(words(StateRules.snapshot(state, held, false))).isEqualTo(allowed);
    assertThat(words(StateRules.snapshot(state, held, true))).isEqualTo(behindFence(allowed));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          READY     | false | false | show restore push pull remove encrypt decrypt keep verify
          READY     | false | true  | show restore push pull encrypt decrypt keep verify
          READY     | true  | false | show pull remove encrypt decrypt keep verify
          READY     | true  | true  | show pull encrypt decrypt keep verify
          ARCHIVING | false | false | show restore push pull encrypt decrypt keep verify
          ARCHIVING | false | true  | show restore push pull encrypt decrypt keep verify
          ARCHIVING | true  | false | show pull encrypt decrypt keep verify
          FAILED    | false | false | show restore push pull encrypt decrypt keep verify
          FAILED    | false | true  | show restore push pull encrypt decrypt keep verify
          FAILED    | true  | false | show pull encrypt decrypt keep verify
          DAMAGED   | false | false | verify
          DAMAGED   | true  | true  | verify
          """)
  void queue(QueueState state, boolean empty, boolean held, String allowed) {
    assertThat(words(StateRules.queue(state, empty, held, false))).isEqualTo(allowed);
    assertThat(words(StateRules.queue(state, empty, held, true))).isEqualTo(behindFence(allowed));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          true  | true  | restore capture
          true  | false | capture
          false | true  | restore capture
          false | false | restore capture
          """)
  void container(boolean running, boolean kept, String allowed) {
    assertThat(words(StateRules.container(running, kept, false))).isEqualTo(allowed);
    assertThat(words(StateRules.container(running, kept, true))).isEqualTo(behindFence(allowed));
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = "COMPLETE | show pull remove\nUPLOADING | show")
  void stored(StoredState state, String allowed) {
    assertThat(words(StateRules.stored(state))).isEqualTo(allowed);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = "false | show cancel\ntrue | show")
  void job(boolean ended, String allowed) {
    assertThat(words(StateRules.job(ended))).isEqualTo(allowed);
  }

  /** What goes on at another host is not brought back here. */
  private static String behindFence(String allowed) {
    return allowed.replace("restore ", "");
  }

  private static String words(Set<Action> actions) {
    return String.join(" ", StateRules.words(actions));
  }
}
