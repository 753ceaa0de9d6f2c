package dev.regen.snapshot.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Calls of many threads that go together must not cost one of them its answer, or another's. */
@Timeout(60)
final class GatheringTest {
  private static final int MOST_ITEMS = 10;
  private static final long MOST_BYTES = 1000;

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
  private final Pace pace = new Pace(1);
  private final List<List<Integer>> calls = Collections.synchronizedList(new ArrayList<>());
  private final CountDownLatch first = new CountDownLatch(1);
  private final CompletableFuture<Pace.Turn> lateTurn = new CompletableFuture<>();
  private volatile boolean firstIsLate;

  private final Gathering<Integer, String> gathering =
      new Gathering<>(threads, pace, MOST_ITEMS, MOST_BYTES, this::call);

  @AfterEach
  void stop() {
    first.countDown();
    threads.shutdownNow();
    callers.shutdownNow();
  }

  @Test
  void whatComesWhileTheServerIsBusyGoesTogetherAndEachGetsItsOwnAnswer() throws Exception {
    Future<String> busy = ask(0, 1);
    awaitCalls(1);
    List<Future<String>> waiting = new ArrayList<>();
    for (int i = 1; i <= 25; i++) {
      waiting.add(ask(i, 1));
      awaitLine(i);
    }
    first.countDown();

    assertThat(busy.get()).isEqualTo("answer 0");
    for (int i = 1; i <= 25; i++) {
      assertThat(waiting.get(i - 1).get()).isEqualTo("answer " + i);
    }
    assertThat(calls).extracting(List::size).containsExactly(1, 10, 10, 5);
  }

  @Test
  void noMoreBytesGoTogetherThanMayUnlessOneAloneHasMore() throws Exception {
    Future<String> busy = ask(0, 1);
    awaitCalls(1);
    List<Future<String>> waiting = new ArrayList<>();
    long[] bytes = {600, 400, 1, 5000, 999, 1, 1};
    for (int i = 0; i < bytes.length; i++) {
      waiting.add(ask(i + 1, bytes[i]));
      awaitLine(i + 1);
    }
    first.countDown();
    for (Future<String> one : waiting) {
      one.get();
    }

    assertThat(busy.get()).isEqualTo("answer 0");
    assertThat(calls).extracting(List::size).containsExactly(1, 2, 1, 1, 2, 1);
  }

  /** Else all that a slow server was given would wait for it, though others have copies. */
  @Test
  void moreGoesTogetherWhileCallsAreQuickAndLessWhenOneIsSlow() throws Exception {
    Pace own = new Pace(1);
    Gathering<Integer, String> growing =
        new Gathering<>(
            threads,
            own,
            MOST_ITEMS,
            4 * Gathering.BYTES_MIN,
            (together, turn) -> {
              sleep(together.getFirst().item());
              together.getFirst().answer("done");
              own.answered(turn, 1);
            });
    assertThat(growing.bytesTogether()).isEqualTo(Gathering.BYTES_MIN);
    for (int i = 0; i < 5; i++) {
      assertThat(growing.ask(0, 1)).isEqualTo("done");
    }
    awaitBytes(growing, 4 * Gathering.BYTES_MIN);
    assertThat(growing.ask(450, 1)).isEqualTo("done");
    awaitBytes(growing, 2 * Gathering.BYTES_MIN);
  }

  private static void awaitBytes(Gathering<?, ?> growing, long bytes) throws InterruptedException {
    while (growing.bytesTogether() != bytes) {
      Thread.sleep(1);
    }
  }

  private static void sleep(int millis) throws InterruptedIOException {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new InterruptedIOException("interrupted");
    }
  }

  @Test
  void oneThatFailsFailsAlone() throws Exception {
    Future<String> busy = ask(0, 1);
    awaitCalls(1);
    Future<String> good = ask(1, 1);
    awaitLine(1);
    Future<String> bad = ask(-2, 1);
    awaitLine(2);
    Future<String> leftOut = ask(404, 1);
    awaitLine(3);
    first.countDown();

    assertThat(busy.get()).isEqualTo("answer 0");
    assertThat(good.get()).isEqualTo("answer 1");
    assertThatThrownBy(bad::get).hasRootCauseMessage("no -2");
    assertThatThrownBy(leftOut::get).hasRootCauseMessage("the server left it out");
  }

  @Test
  void aCallThatFailsFailsThoseInItAndNoOther() throws Exception {
    Future<String> busy = ask(0, 1);
    awaitCalls(1);
    Future<String> one = ask(500, MOST_BYTES - 1);
    awaitLine(1);
    Future<String> beside = ask(1, 1);
    awaitLine(2);
    Future<String> after = ask(2, 1);
    awaitLine(3);
    first.countDown();

    assertThatThrownBy(one::get).hasRootCauseMessage("all of it");
    assertThatThrownBy(beside::get).hasRootCauseMessage("all of it");
    assertThat(busy.get()).isEqualTo("answer 0");
    assertThat(after.get()).isEqualTo("answer 2");
  }

  /** Else each of them waits out the server's patience, one after the other. */
  @Test
  void whereTheServerDoesNotAnswerInTimeAllThatWaitForItAreToldAtOnce() throws Exception {
    Future<String> late = ask(0, 1);
    awaitCalls(1);
    List<Future<String>> waiting = new ArrayList<>();
    for (int i = 1; i <= 3 * MOST_ITEMS; i++) {
      waiting.add(ask(i, 1));
      awaitLine(i);
    }
    firstIsLate = true;
    first.countDown();

    assertThatThrownBy(late::get).hasRootCauseMessage("late");
    for (Future<String> one : waiting) {
      assertThatThrownBy(one::get).hasRootCauseMessage("late");
    }
    assertThat(calls).hasSize(1);
    pace.answered(lateTurn.get(), 1);
    assertThat(ask(1, 1).get()).isEqualTo("answer 1");
  }

  @Test
  void oneThatIsInterruptedWhileItWaitsIsNotAskedFor() throws Exception {
    Future<String> busy = ask(0, 1);
    awaitCalls(1);
    List<Thread> interrupted = Collections.synchronizedList(new ArrayList<>());
    Future<String> one =
        callers.submit(() -> {
          interrupted.add(Thread.currentThread());
          return gathering.ask(1, 1);
        });
    awaitLine(1);
    interrupted.getFirst().interrupt();

    assertThatThrownBy(one::get).hasCauseInstanceOf(InterruptedIOException.class);
    first.countDown();
    assertThat(busy.get()).isEqualTo("answer 0");
    assertThat(ask(2, 1).get()).isEqualTo("answer 2");
    assertThat(calls).noneMatch(call -> call.contains(1));
  }

  @Test
  void afterTheEndNobodyWaits() throws Exception {
    Future<String> busy = ask(0, 1);
    awaitCalls(1);
    Future<String> waiting = ask(1, 1);
    awaitLine(1);
    threads.shutdownNow();

    // Whatever becomes of those that are under way, each is told.
    awaitDone(busy);
    awaitDone(waiting);
    assertThatThrownBy(() -> gathering.ask(2, 1)).isInstanceOf(IOException.class);
  }

  private static void awaitDone(Future<String> future) throws InterruptedException {
    while (!future.isDone()) {
      Thread.sleep(1);
    }
  }

  private Future<String> ask(int item, long bytes) {
    return callers.submit(() -> gathering.ask(item, bytes));
  }

  private void call(List<Gathering.Asked<Integer, String>> together, Pace.Turn turn)
      throws IOException {
    try {
      calls.add(together.stream().map(Gathering.Asked::item).toList());
      if (calls.size() == 1) {
        first.await();
        if (firstIsLate) {
          throw new TimedOut("late", null);
        }
      }
      for (Gathering.Asked<Integer, String> asked : together) {
        switch (asked.item()) {
          case 500 -> throw new IOException("all of it");
          case -2 -> asked.fail(new IOException("no " + asked.item()));
          case 404 -> {
            // Left out.
          }
          default -> asked.answer("answer " + asked.item());
        }
      }
    } catch (InterruptedException e) {
      throw new InterruptedIOException("interrupted");
    } finally {
      if (together.getFirst().item() != 0 || !firstIsLate) {
        pace.answered(turn, 1);
      } else {
        // No other call begins before the test has seen that the line was told.
        lateTurn.complete(turn);
      }
    }
  }

  private void awaitCalls(int count) throws InterruptedException {
    while (calls.size() < count) {
      Thread.sleep(1);
    }
  }

  private void awaitLine(int count) throws InterruptedException {
    while (gathering.waiting() < count) {
      Thread.sleep(1);
    }
  }
}
