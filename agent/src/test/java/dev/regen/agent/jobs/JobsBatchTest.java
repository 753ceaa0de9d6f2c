package dev.regen.agent.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many operations at once, under a clock that only the test moves. */
final class JobsBatchTest {
  private static final Instant NINE = Instant.parse("2026-11-22T09:00:00Z");
  private static final long LIMIT_MILLIS = 10_000;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @SuppressWarnings("NullAway.Init")
  private Jobs jobs;

  private final AtomicLong nanos = new AtomicLong();

  @BeforeEach
  void open() {
    jobs = jobs(new JobLimits(Duration.ofSeconds(2), 3, Duration.ofSeconds(60), 64, 2));
  }

  @Test
  void eachIntervalBeginsSoManyAndTheNextOnesTheRest() throws Exception {
    List<Job> asked = ask(7, _ -> new JsonObject());
    awaitEnded(asked.subList(0, 3));
    assertThat(states(asked)).containsExactlyElementsOf(first(3, "success", 7));

    after(Duration.ofSeconds(2));
    awaitEnded(asked.subList(3, 6));
    assertThat(states(asked)).containsExactlyElementsOf(first(6, "success", 7));

    after(Duration.ofSeconds(2));
    awaitEnded(asked);
    assertThat(states(asked)).containsExactlyElementsOf(first(7, "success", 7));
  }

  @Test
  void whatCouldNotBeBegunInTimeHasFailedAndWhatRunsGoesOn() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    jobs = jobs(new JobLimits(Duration.ofSeconds(2), 10, Duration.ofSeconds(60), 2, 2));
    List<Job> asked = ask(3, _ -> awaited(end));
    assertThat(states(asked)).containsExactly("running", "running", "waiting");

    after(Duration.ofSeconds(60));

    assertThat(states(asked)).containsExactly("running", "running", "failed");
    assertThat(asked.getLast().json().string("code")).isEqualTo("not_started");
    assertThat(asked.getLast().json().string("message"))
        .contains("60 s", "all 2 places", "nothing was changed");
    end.countDown();
    awaitEnded(asked);
    assertThat(states(asked)).containsExactly("success", "success", "failed");
  }

  @Test
  void lackOfCapacityMakesBatchesSmallerAndBadInputDoesNot() throws Exception {
    awaitEnded(
        ask(
            3,
            _ -> {
              throw new RegenException.BadInput("no such thing");
            }));
    after(Duration.ofSeconds(2));
    assertThat(jobs.batchSize()).isEqualTo(3);

    AtomicInteger count = new AtomicInteger();
    awaitEnded(
        ask(
            3,
            _ -> {
              if (count.incrementAndGet() > 1) {
                throw new IOException("the server did not answer in time");
              }
              return new JsonObject();
            }));
    after(Duration.ofSeconds(2));

    assertThat(jobs.batchSize()).isEqualTo(1);
  }

  @Test
  void transfersKeepNothingElseWaiting() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    jobs = jobs(new JobLimits(Duration.ofSeconds(2), 10, Duration.ofSeconds(60), 2, 1));
    Job transfer = jobs.startTransfer("push", "desk", _ -> awaited(end));
    Job second = jobs.startTransfer("push", "desk", _ -> new JsonObject());

    awaitEnded(ask(1, _ -> new JsonObject()));

    assertThat(states(List.of(transfer, second))).containsExactly("running", "waiting");
    end.countDown();
    awaitEnded(List.of(transfer, second));
  }

  @Test
  void cancelledOneThatWaitsNeverRuns() throws Exception {
    AtomicInteger runs = new AtomicInteger();
    List<Job> asked =
        ask(
            4,
            _ -> {
              runs.incrementAndGet();
              return new JsonObject();
            });
    Job last = asked.getLast();

    jobs.cancel(last.id());
    after(Duration.ofSeconds(2));
    awaitEnded(asked);

    assertThat(last.json().string("code")).isEqualTo("cancelled");
    assertThat(runs).hasValue(3);
    assertThat(jobs.cancel(last.id())).isSameAs(last);
  }

  /** No container waits for places, batches or the disk. */
  @Test
  void agentsOwnWorkWaitsForNothing() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    List<Job> asked = ask(10, _ -> awaited(end));

    Job own = jobs.begin("archive", "desk");
    jobs.run(own, _ -> new JsonObject());

    assertThat(own.state()).isEqualTo(Job.State.SUCCESS);
    end.countDown();
    awaitEnded(asked.subList(0, 3));
  }

  @Test
  void listenerHearsEveryChangeOfStateInOrder() throws Exception {
    List<JsonObject> heard = new ArrayList<>();
    jobs.listen(heard::add);

    awaitEnded(ask(1, _ -> new JsonObject()));

    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LIMIT_MILLIS);
    while (heard.size() < 3 && System.nanoTime() < deadline) {
      Thread.sleep(5);
    }
    assertThat(heard).extracting(job -> job.string("state")).endsWith("running", "success");
    assertThat(heard).extracting(job -> job.number("revision")).isSorted();
  }

  private Jobs jobs(JobLimits limits) {
    return new Jobs(
        limits,
        new JobLog(new LocalDisk(), directory, _ -> {}),
        () -> NINE.plusNanos(nanos.get()),
        nanos::get,
        _ -> {});
  }

  private List<Job> ask(int count, Jobs.Work work) throws RegenException {
    List<Job> asked = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      asked.add(jobs.start("test", "desk" + i, work));
    }
    return asked;
  }

  private void after(Duration time) {
    nanos.addAndGet(time.toNanos());
    jobs.lookOnce();
  }

  private static void awaitEnded(List<Job> all) throws InterruptedException {
    for (Job job : all) {
      job.awaitEnd(LIMIT_MILLIS);
      assertThat(job.ended()).as(job.json().toString()).isTrue();
    }
    Thread.sleep(20); // Until those who ran them have told the batch.
  }

  private static List<String> states(List<Job> all) {
    return all.stream().map(job -> job.state().word()).toList();
  }

  private static List<String> first(int count, String state, int all) {
    List<String> states = new ArrayList<>();
    for (int i = 0; i < all; i++) {
      states.add(i < count ? state : "waiting");
    }
    return states;
  }

  private static JsonObject awaited(CountDownLatch end) throws InterruptedException {
    assertThat(end.await(LIMIT_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
    return new JsonObject();
  }
}
