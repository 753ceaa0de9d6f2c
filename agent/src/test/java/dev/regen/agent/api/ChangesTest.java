package dev.regen.agent.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a reader of the log finds that was away. */
final class ChangesTest {
  private static final int KEPT = 10;
  private final Changes changes = new Changes(KEPT);

  @Test
  void whoKnowsNothingBeginsHere() {
    tell(3);

    ChangeLog.Page first = changes.after(null, 100);
    assertThat(first.reset()).isTrue();
    assertThat(first.changes()).isEmpty();

    tell(4);
    assertThat(numbers(changes.after(first.place(), 100))).containsExactly(4L);
  }

  @Test
  void eachChangeIsFoundOnceAndInOrder() {
    String place = changes.after(null, 100).place();
    for (int i = 1; i <= KEPT; i++) {
      tell(i);
    }

    ChangeLog.Page page = changes.after(place, 7);
    assertThat(numbers(page)).containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L);
    assertThat(page.place()).isEqualTo(page.changes().getLast().id());
    assertThat(numbers(changes.after(page.place(), 7))).containsExactly(8L, 9L, 10L);
  }

  @Test
  void placeThatIsTooOldOrOfAnotherProcessIsNotKnown() {
    String place = changes.after(null, 100).place();
    for (int i = 1; i <= KEPT + 1; i++) {
      tell(i);
    }

    assertThat(changes.after(place, 100).reset()).isTrue();
    assertThat(changes.after(new Changes().after(null, 1).place(), 100).reset()).isTrue();
    for (String nonsense : List.of("", "1", "x-1", place + "0", place + "\n", "-1")) {
      assertThat(changes.after(nonsense, 100).reset()).as(nonsense).isTrue();
    }
  }

  @Test
  void waitingEndsWithAChangeWithTimeAndWithTheLog() throws InterruptedException {
    String place = changes.after(null, 1).place();

    assertThat(changes.await(place, Duration.ofMillis(20))).isTrue();
    Thread teller = Thread.ofVirtual().start(() -> tell(1));
    assertThat(changes.await(place, Duration.ofMinutes(1))).isTrue();
    teller.join();
    assertThat(numbers(changes.after(place, 1))).containsExactly(1L);
    changes.close();
    assertThat(changes.await(changes.after(place, 1).place(), Duration.ofMinutes(1))).isFalse();
  }

  /** Ten thousand results of long jobs would be gigabytes. */
  @Test
  void longChangesAreFewerThatAreKept() {
    Changes many = new Changes();
    String place = many.after(null, 1).place();
    JsonObject mega = new JsonObject().with("text", "x".repeat(1 << 20));
    for (int i = 0; i < 16; i++) {
      many.tell("job", mega);
    }

    assertThat(many.after(place, 1).reset()).isTrue();
  }

  private void tell(int number) {
    changes.tell("job", new JsonObject().with("n", number));
  }

  private static List<Long> numbers(ChangeLog.Page page) {
    assertThat(page.reset()).isFalse();
    return page.changes().stream()
        .map(change -> Long.parseLong(change.data().replaceAll("[^0-9]", "")))
        .toList();
  }
}
