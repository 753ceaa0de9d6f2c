package dev.regen.snapshot.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
final class ForcedTogetherTest {
  private final AtomicInteger forces = new AtomicInteger();
  private final CountDownLatch begun = new CountDownLatch(1);
  private final CountDownLatch mayEnd = new CountDownLatch(1);

  @Test
  void thoseWhoComeWhileOneRunsAreServedByOneMoreTogether() throws Exception {
    assertThat(waitersBehindARunningForce(false)).isZero();
    assertThat(forces).hasValue(2);
  }

  @Test
  void aForceThatFailedFailsForAllWhomItServes() throws Exception {
    assertThat(waitersBehindARunningForce(true)).isEqualTo(10);
    assertThat(forces).hasValue(2);
  }

  @Test
  void afterAFailureTheNextBeginsAnew() throws IOException {
    ForcedTogether together =
        new ForcedTogether(() -> {
          if (forces.incrementAndGet() == 1) {
            throw new IOException("bad sector");
          }
        });
    assertThatThrownBy(together::force).hasRootCauseMessage("bad sector");
    together.force();
    assertThat(forces).hasValue(2);
  }

  /** Ten come while the first force runs; returns how many of them failed. */
  private int waitersBehindARunningForce(boolean secondFails) throws Exception {
    ForcedTogether together =
        new ForcedTogether(() -> {
          if (forces.incrementAndGet() == 1) {
            begun.countDown();
            await(mayEnd);
          } else if (secondFails) {
            throw new IOException("bad sector");
          }
        });
    int failed = 0;
    try (ExecutorService threads = Executors.newFixedThreadPool(11)) {
      Future<?> first = threads.submit(() -> force(together));
      await(begun);
      List<Future<?>> waiters = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        waiters.add(threads.submit(() -> force(together)));
      }
      Thread.sleep(300);
      assertThat(waiters).noneMatch(Future::isDone);
      mayEnd.countDown();
      first.get();
      for (Future<?> waiter : waiters) {
        try {
          waiter.get();
        } catch (ExecutionException e) {
          assertThat(e).hasRootCauseMessage("bad sector");
          failed++;
        }
      }
    }
    return failed;
  }

  private static Void force(ForcedTogether together) throws IOException {
    together.force();
    return null;
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
