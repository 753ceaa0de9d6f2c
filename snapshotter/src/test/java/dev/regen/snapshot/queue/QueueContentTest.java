package dev.regen.snapshot.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.QueueName;
import dev.regen.snapshot.End;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.SnapshotId;
import java.util.List;
import org.junit.jupiter.api.Test;

final class QueueContentTest {
  @Test
  void aFullQueueGivesUpItsHead() {
    QueueContent full = good(3, 1, 2, 3);

    QueueContent next = full.appended(Elements.good(4), null);

    assertThat(numbers(next)).containsExactly(2, 3, 4);
    assertThat(full.leftIn(next)).containsExactly(Elements.id(1));
  }

  @Test
  void fiftyFailedEndsPushNoGoodStateOut() {
    QueueContent queue = good(3, 1, 2, 3);

    for (int i = 4; i < 54; i++) {
      queue = queue.appended(Elements.failed(i), null);
    }

    assertThat(numbers(queue)).containsExactly(2, 3, 53);
  }

  @Test
  void theNewestGoodOneStaysWhateverTheLength() {
    QueueContent queue = good(1, 1);

    for (int i = 2; i < 10; i++) {
      queue = queue.appended(withGood(Elements.good(i), End.Good.UNKNOWN), null);
    }

    assertThat(numbers(queue)).containsExactly(1, 9);
  }

  @Test
  void aGoodEndAfterAFailedOneStandsBesideIt() {
    QueueContent queue =
        good(5, 1).appended(Elements.failed(2), null).appended(Elements.good(3), null);

    assertThat(numbers(queue)).containsExactly(1, 2, 3);
  }

  @Test
  void pinnedElementsDontCountAndStay() throws Exception {
    QueueContent queue = good(2, 1, 2).pinned(Elements.id(1), true);

    for (int i = 3; i < 9; i++) {
      queue = queue.appended(Elements.good(i), null);
    }

    assertThat(numbers(queue)).containsExactly(1, 7, 8);
  }

  @Test
  void aPinnedFailedTailKeepsItsPlace() throws Exception {
    QueueContent queue =
        good(5, 1)
            .appended(Elements.failed(2), null)
            .pinned(Elements.id(2), true)
            .appended(Elements.failed(3), null);

    assertThat(numbers(queue)).containsExactly(1, 2, 3);
  }

  @Test
  void theChosenElementStaysWhileItIsChosen() throws Exception {
    QueueContent queue = good(2, 1, 2).choosing(Elements.id(1));

    queue = queue.appended(Elements.good(3), null);
    assertThat(numbers(queue)).containsExactly(1, 3);

    queue = queue.choosing(null).appended(Elements.good(4), null);
    assertThat(numbers(queue)).containsExactly(3, 4);
  }

  @Test
  void aShorterLengthPushesTheOldestOut() {
    assertThat(numbers(good(5, 1, 2, 3, 4, 5).kept(2))).containsExactly(4, 5);
  }

  @Test
  void aClockPutBackLeavesTheOrder() {
    QueueContent queue = good(5, 8).appended(Elements.good(3), null);

    assertThat(numbers(queue)).containsExactly(8, 3);
    assertThat(queue.elements().getLast().time()).isEqualTo(Elements.time(8).plusMillis(1));
  }

  @Test
  void anUnchangedGoodTailStaysGoodAndMoves() throws RegenException {
    QueueContent queue = good(5, 1, 2).tailMoved(Elements.time(9), Elements.failed(9).end(), "j");

    Element tail = queue.elements().getLast();
    assertThat(tail)
        .isEqualTo(
            new Element(
                Elements.id(2), Elements.time(2), Elements.time(9), Elements.good(2).end(), false));
    assertThat(queue.find(Elements.time(5).toString(), java.time.ZoneOffset.UTC))
        .as("a time at which the state was there already")
        .isEqualTo(tail);
    assertThat(queue.done("j")).contains(new JobDone("j", Elements.id(2), false));
  }

  @Test
  void anUnchangedFailedTailThatEndsWellIsGood() {
    QueueContent queue =
        good(5, 1)
            .appended(Elements.failed(2), null)
            .tailMoved(Elements.time(9), Elements.good(9).end(), null);

    assertThat(queue.newestGood().orElseThrow().id()).isEqualTo(Elements.id(2));
  }

  @Test
  void aStateThatWasReadInPeaceOnceIsConsistent() {
    End inPeace = Elements.good(2).end();
    End mixed = inPeace.asInconsistent();
    QueueContent consistent = good(5, 1, 2);
    QueueContent inconsistent = good(5, 1).appended(Elements.good(2).with(mixed), null);

    assertThat(mixed.good()).isEqualTo(End.Good.UNKNOWN);
    assertThat(inconsistent.newestGood().orElseThrow().id()).isEqualTo(Elements.id(1));
    assertThat(consistent.tailMoved(Elements.time(9), mixed, null).elements().getLast().end())
        .isEqualTo(inPeace);
    assertThat(inconsistent.tailMoved(Elements.time(9), inPeace, null).elements().getLast().end())
        .isEqualTo(inPeace);
    assertThat(inconsistent.tailMoved(Elements.time(9), mixed, null).elements().getLast().end())
        .isEqualTo(mixed);
  }

  @Test
  void onlyTheLastJobsAreRemembered() {
    QueueContent queue = good(2);
    for (int i = 1; i <= QueueContent.JOBS_MAX + 1; i++) {
      queue = queue.appended(Elements.good(i), "job-" + i);
    }

    assertThat(queue.jobs()).hasSize(QueueContent.JOBS_MAX);
    assertThat(queue.done("job-1")).isEmpty();
    assertThat(queue.done("job-2")).isPresent();
  }

  @Test
  void pinnedAndChosenElementsAreNotRemoved() throws Exception {
    QueueContent queue = good(5, 1, 2, 3).pinned(Elements.id(1), true).choosing(Elements.id(2));

    assertThatThrownBy(() -> queue.without(Elements.id(1)))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining("pinned");
    assertThatThrownBy(() -> queue.without(Elements.id(2)))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining("chosen");
    assertThat(numbers(queue.without(Elements.id(3)))).containsExactly(1, 2);
  }

  @Test
  void lengthsOutOfRangeAreRefused() {
    assertThatThrownBy(() -> good(0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> good(1001)).isInstanceOf(IllegalArgumentException.class);
  }

  static QueueContent good(int keep, int... numbers) {
    QueueContent queue = QueueContent.empty(new QueueName("desk"), keep);
    for (int number : numbers) {
      queue = queue.appended(Elements.good(number), null);
    }
    return queue;
  }

  private static Element withGood(Element element, End.Good good) {
    End end = element.end();
    return element.with(new End(end.reason(), end.exitCode(), good, end.ran()));
  }

  private static List<Integer> numbers(QueueContent queue) {
    return queue.elements().stream().map(Element::id).map(QueueContentTest::number).toList();
  }

  private static int number(SnapshotId id) {
    return Integer.parseInt(id.value().substring(24), 16) - 0xabc0000;
  }
}
