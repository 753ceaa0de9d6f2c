package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The queue as a user meets it: first run, tail, chosen time, full queue, fault. */
@EngineTest
class QueueEngineTest {
  private final Host host;

  QueueEngineTest(Host host) {
    this.host = host;
  }

  @Test
  void firstRunMakesAnEmptyQueueThatOutlivesTheRun() throws IOException, InterruptedException {
    host.docker(
            "run",
            "-d",
            "--rm",
            "--runtime=regen",
            "--network=none",
            "--name=first",
            Host.IMAGE,
            "sleep",
            "100")
        .ok();

    assertThat(Files.exists(host.home().resolve("queues/first/queue.json"))).isTrue();
    assertThat(host.snapshots("first")).isEmpty();
    host.docker("rm", "-f", "first").ok();
    assertThat(host.snapshots("first")).hasSize(1);
  }

  @Test
  void nextRunStartsFromTheTail() throws IOException, InterruptedException {
    for (int run = 1; run <= 3; run++) {
      assertThat(host.desk("tail", "echo x >>/root/runs; wc -l </root/runs").ok())
          .isEqualTo("" + run);
    }
    assertThat(host.snapshots("tail")).hasSize(3);
  }

  @Test
  void chosenTimeIsWhereTheNextRunStartsAndOnlyThat() throws IOException, InterruptedException {
    for (int run = 1; run <= 3; run++) {
      host.desk("time", "echo x >>/root/runs").ok();
    }
    String second = host.snapshots("time").get(1).string("time");

    host.regen("restore", "time", "--at", second).ok();

    assertThat(host.desk("time", "wc -l </root/runs; echo y >/root/y").ok()).isEqualTo("2");
    assertThat(host.desk("time", "wc -l </root/runs; cat /root/y").ok()).isEqualTo("2\ny");
  }

  @Test
  void fullQueueLosesItsHeadAndTheHeadsData() throws IOException, InterruptedException {
    for (int run = 1; run <= 6; run++) {
      host.docker(
              "run",
              "--rm",
              "--runtime=regen",
              "--network=none",
              "--name=full",
              "--label=regen.keep=3",
              Host.IMAGE,
              "sh",
              "-c",
              "dd if=/dev/urandom of=/root/r bs=1M count=2; echo x >>/root/runs")
          .ok();
      host.awaitIdle();
    }

    List<JsonObject> kept = host.snapshots("full");

    assertThat(kept).hasSize(3);
    for (JsonObject snapshot : kept) {
      assertThat(host.regen("show", "full@" + snapshot.string("id").substring(0, 12)).code())
          .isZero();
    }
    assertThat(host.regen("verify", "full").ok()).isNotEmpty();
    assertThat(host.desk("full", "wc -l </root/runs").ok()).isEqualTo("6");
  }

  @Test
  void failedRunsPushNoGoodStateOutAndItIsThereToComeBackTo()
      throws IOException, InterruptedException {
    host.desk("fault", "echo good >/root/state").ok();
    host.awaitIdle();
    String good = host.snapshots("fault").getFirst().string("time");
    for (int run = 0; run < 12; run++) {
      assertThat(host.desk("fault", "echo bad" + run + " >/root/state; exit 1").code()).isOne();
    }

    List<JsonObject> kept = host.snapshots("fault");
    assertThat(kept).hasSize(2);
    assertThat(kept.getFirst().string("good")).isEqualTo("yes");
    host.regen("restore", "fault", "--at", good).ok();
    assertThat(host.desk("fault", "cat /root/state").ok()).isEqualTo("good");
  }

  @Test
  void runsThatChangeNothingOnlyMoveTheTailsTime() throws IOException, InterruptedException {
    host.desk("idle", "echo a >/root/a").ok();
    String before = host.snapshots("idle").getFirst().string("time");
    for (int run = 0; run < 5; run++) {
      host.desk("idle", "cat /root/a").ok();
    }

    List<JsonObject> kept = host.snapshots("idle");

    assertThat(kept).hasSize(1);
    assertThat(kept.getFirst().string("time")).isGreaterThan(before);
  }

  @Test
  void keptContainerIsRestoredInPlaceWithTheSameId() throws IOException, InterruptedException {
    String id =
        host.docker(
                "run",
                "-d",
                "--runtime=regen",
                "--network=none",
                "--name=place",
                Host.IMAGE,
                "sh",
                "-c",
                "trap 'exit 0' TERM; echo x >>/root/runs; while :; do sleep 0.1; done")
            .ok();
    host.docker("stop", "place").ok();
    String first = host.snapshots("place").getFirst().string("time");
    host.docker("start", "place").ok();
    Host.await(
        "the second run",
        () -> host.docker("exec", "place", "cat", "/root/runs").out().equals("x\nx\n"));

    host.regen("restore", "place", "--at", first).ok();

    Host.await(
        "the restored run",
        () -> host.docker("exec", "place", "cat", "/root/runs").out().equals("x\nx\n"));
    assertThat(host.docker("inspect", "-f", "{{.Id}}", "place").ok()).isEqualTo(id);
    assertThat(host.snapshots("place")).hasSizeGreaterThanOrEqualTo(2);
    host.docker("rm", "-f", "place").ok();
  }

  @Test
  void whatDoesNotExistOrDoesNotFitIsSaid() throws IOException, InterruptedException {
    host.desk("exists", "echo a >/root/a").ok();
    host.awaitIdle();

    assertThat(host.regen("ls", "nosuch").code()).isEqualTo(3);
    assertThat(host.regen("restore", "nosuch").code()).isEqualTo(3);
    var early = host.regen("restore", "exists", "--at", "2020-01-01");
    assertThat(early.code()).isEqualTo(3);
    // The steps of the job may stand before it, if the command happens to see them.
    assertThat(early.err().lines()).last().asString().startsWith("regen: ");
    host.docker(
            "run",
            "-d",
            "--rm",
            "--runtime=regen",
            "--network=none",
            "--name=exists",
            Host.IMAGE,
            "sleep",
            "100")
        .ok();
    assertThat(host.regen("restore", "exists").code()).isEqualTo(4);
    host.docker("rm", "-f", "exists").ok();
  }
}
