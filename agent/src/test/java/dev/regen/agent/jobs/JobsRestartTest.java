package dev.regen.agent.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.durable.FaultyDisk;
import dev.regen.runtime.durable.Records;
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
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The agent is killed, and the next one has its jobs. */
final class JobsRestartTest {
  private static final Path HOME = Path.of("/home");
  private static final Instant NINE = Instant.parse("2026-11-22T09:00:00Z");
  private static final long LIMIT_MILLIS = 10_000;

  private final CountDownLatch end = new CountDownLatch(1);
  private final AtomicInteger runs = new AtomicInteger();
  private final List<String> told = new ArrayList<>();
  private FaultyDisk disk = new FaultyDisk();
  private final AtomicLong nanos = new AtomicLong();

  @SuppressWarnings("NullAway.Init")
  private Jobs jobs;

  @BeforeEach
  void open() throws IOException {
    new Records(disk).makeDirectory(HOME);
    jobs = jobs();
  }

  @AfterEach
  void release() {
    end.countDown();
  }

  @Test
  void oneThatRanHasFailedAndSaysWhatThatMeans() throws Exception {
    Job ran = ask("captureContainer", "capture", null);
    awaitRunning(ran);

    killAndStart();

    JsonObject job = jobs.find(ran.id()).json();
    assertThat(job.string("state")).isEqualTo("failed");
    assertThat(job.string("code")).isEqualTo("interrupted");
    assertThat(job.string("message"))
        .contains("the agent ended while it ran", "whole or not at all", "capture again");
    assertThat(job.string("startedAt")).isEqualTo("2026-11-22T09:00:00Z");
    assertThat(job.number("revision")).isGreaterThan(ran.json().number("revision"));
  }

  @Test
  void oneThatWaitedIsBegunByTheNextAgent() throws Exception {
    awaitRunning(ask("captureContainer", "capture", null));
    Job waited = ask("captureContainer", "capture", null);
    int before = runs.get();

    killAndStart();
    end.countDown();
    jobs.goOn(asked -> again(asked, "capture"));

    awaitEnd(jobs.find(waited.id()));
    assertThat(jobs.find(waited.id()).state()).isEqualTo(Job.State.SUCCESS);
    assertThat(runs).hasValue(before + 1);
  }

  @Test
  void oneThatWaitedTooLongHasFailed() throws Exception {
    awaitRunning(ask("captureContainer", "capture", null));
    Job waited = ask("captureContainer", "capture", null);

    nanos.addAndGet(Duration.ofSeconds(61).toNanos());
    killAndStart();

    JsonObject job = jobs.find(waited.id()).json();
    assertThat(job.string("code")).isEqualTo("not_started");
    assertThat(job.string("message")).contains("nothing was changed");
  }

  @Test
  void cancelledOneIsNeverBegun() throws Exception {
    awaitRunning(ask("captureContainer", "capture", null));
    Job waited = ask("captureContainer", "capture", null);
    jobs.cancel(waited.id());

    killAndStart();
    jobs.goOn(asked -> again(asked, "capture"));

    assertThat(jobs.find(waited.id()).json().string("code")).isEqualTo("cancelled");
  }

  /** What is sent is not sent again; but what kills the agent each time is not tried for ever. */
  @Test
  void pushGoesOnWhereItWasAndNotForEver() throws Exception {
    Job push = ask("pushQueue", "push", null);
    awaitRunning(push);
    for (int i = 0; i < 3; i++) {
      long revision = jobs.find(push.id()).json().number("revision");
      killAndStart();
      jobs.goOn(asked -> again(asked, "push"));
      awaitRunning(jobs.find(push.id()));
      assertThat(jobs.find(push.id()).json().number("revision")).isGreaterThan(revision);
    }

    killAndStart();

    assertThat(jobs.find(push.id()).json().string("message")).contains("goes on where it was");
  }

  @Test
  void whatHasEndedIsStillKnown() throws Exception {
    end.countDown();
    Job job = ask("captureContainer", "capture", "key");
    awaitEnd(job);

    killAndStart();

    JsonObject found = jobs.find(job.id()).json();
    assertThat(found.string("state")).isEqualTo("success");
    assertThat(found.object("result").string("done")).isEqualTo("capture");
    assertThat(found.string("askedBy")).isEqualTo("someone");
    assertThat(found.string("idempotencyKey")).isEqualTo("key");
  }

  @Test
  void sameKeyIsTheSameJobAlsoAfterItsEndAndARestart() throws Exception {
    end.countDown();
    Job first = ask("captureContainer", "capture", "key");
    Job second = ask("captureContainer", "capture", "key");
    awaitEnd(first);

    killAndStart();
    Job third = ask("captureContainer", "capture", "key");

    assertThat(List.of(second.id(), third.id())).containsOnly(first.id());
    assertThat(runs).hasValue(1);
    assertThatThrownBy(() -> ask("restoreContainer", "restore", "key"))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining("was given with another request");
  }

  @Test
  void fullDiskRefusesWhatIsAskedAndNothingElse() throws Exception {
    end.countDown();
    disk.limitRoom(0);

    assertThatThrownBy(() -> ask("captureContainer", "capture", null))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining("could not be recorded", "no space left");
    Job own = jobs.begin("archive", "desk");
    jobs.run(own, _ -> new JsonObject());
    Jobs next = jobs();

    assertThat(own.state()).isEqualTo(Job.State.SUCCESS);
    assertThat(next.list()).isEmpty();
    assertThat(runs).hasValue(0);
  }

  @Test
  void lastTwoHundredAreKeptAndThoseOfTheFleetUntilAcknowledged() throws Exception {
    Job fleet = jobs.once(asked("pushQueue", "fleet:1", true), job -> job, () -> finished());
    for (int i = 0; i < Jobs.KEPT_MAX + 5; i++) {
      Job job = finished();
      assertThat(job.ended()).isTrue();
    }
    killAndStart();
    assertThat(jobs.list()).hasSize(Jobs.KEPT_MAX + 1).contains(jobs.find(fleet.id()));

    jobs.acknowledge(fleet.id());

    assertThat(jobs.list()).hasSize(Jobs.KEPT_MAX);
    assertThat(jobs.find("someone", "fleet:1")).isNull();
  }

  private Job finished() throws IOException, InterruptedException {
    nanos.addAndGet(Duration.ofSeconds(2).toNanos());
    return jobs.runHere("push", "desk", _ -> new JsonObject());
  }

  private Job ask(String operation, String kind, @Nullable String key)
      throws IOException, InterruptedException {
    return jobs.once(asked(operation, key, false), job -> job, () -> begun(kind));
  }

  private static Asked asked(String operation, @Nullable String key, boolean kept) {
    JsonObject request = new JsonObject().with("operation", operation).with("parts", "desk");
    return new Asked("someone", key, request, kept);
  }

  private Job begun(String kind) throws RegenException {
    return jobs.start(
        kind,
        "desk",
        _ -> {
          runs.incrementAndGet();
          assertThat(end.await(LIMIT_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
          return new JsonObject().with("done", kind);
        });
  }

  private void again(Asked asked, String kind) throws IOException, InterruptedException {
    jobs.once(asked, job -> job, () -> begun(kind));
  }

  private void killAndStart() {
    jobs.close();
    disk = disk.reboot(FaultyDisk.Survivors.ONLY_FORCED, 0);
    jobs = jobs();
    assertThat(told).isEmpty();
  }

  private Jobs jobs() {
    return new Jobs(
        new JobLimits(Duration.ofSeconds(2), 10, Duration.ofSeconds(60), 1, 1),
        new JobLog(disk, HOME, told::add),
        () -> NINE.plusNanos(nanos.get()),
        nanos::get,
        told::add);
  }

  private static void awaitRunning(Job job) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LIMIT_MILLIS);
    while (job.state() != Job.State.RUNNING && System.nanoTime() < deadline) {
      Thread.sleep(5);
    }
    Thread.sleep(50); // Until that is recorded.
    assertThat(job.state()).isEqualTo(Job.State.RUNNING);
  }

  private static void awaitEnd(Job job) throws InterruptedException {
    job.awaitEnd(LIMIT_MILLIS);
    assertThat(job.ended()).as(job.json().toString()).isTrue();
  }
}
