package dev.regen.agent.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.docker.Engine;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.LayerFacts;
import dev.regen.runtime.oci.SeenRun;
import dev.regen.runtime.oci.Spool;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A layer that cannot be archived, and a container of its queue that is about to start. */
final class SpoolDrainFailureTest {
  private static final QueueName DESK = new QueueName("desk");
  private static final Duration LIMIT = Duration.ofSeconds(10);

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @Test
  void startDoesNotWaitForALayerThatHasJustFailed() throws IOException, InterruptedException {
    Spool spool = new Spool(new LocalDisk(), directory.resolve("spool"));
    spool.write(layer());
    CountDownLatch tried = new CountDownLatch(2);
    try (SpoolDrain drain =
        drain(
            spool,
            (_, _, _) -> {
              tried.countDown();
              throw new IOException("the disk is full");
            })) {
      drain.start();
      // After the second failure the pause is two seconds.
      assertThat(tried.await(10, TimeUnit.SECONDS)).isTrue();
      Thread.sleep(200);
      long began = System.nanoTime();

      boolean archived = drain.awaitArchived(DESK, LIMIT);
      boolean taken = drain.takeOver(DESK, LIMIT);

      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(1));
      assertThat(archived).isFalse();
      assertThat(taken).isTrue();
      assertThat(spool.list(DESK)).hasSize(1);
    }
  }

  @Test
  void startWaitsForALayerThatIsBeingArchived() throws IOException, InterruptedException {
    Spool spool = new Spool(new LocalDisk(), directory.resolve("spool"));
    spool.write(layer());
    try (SpoolDrain drain =
        drain(
            spool,
            (layer, _, _) -> {
              pause();
              spool.remove(layer.job());
            })) {
      drain.start();

      assertThat(drain.awaitArchived(DESK, LIMIT)).isTrue();
      assertThat(spool.list(DESK)).isEmpty();
    }
  }

  private static void pause() throws IOException {
    try {
      Thread.sleep(500);
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private SpoolDrain drain(Spool spool, SpoolDrain.Intake intake) throws IOException {
    InstantSource clock = InstantSource.system();
    Engine engine =
        Engine.of(Map.of("DOCKER_HOST", "unix://" + directory.resolve("no-engine.sock")));
    return new SpoolDrain(
        spool,
        new EngineEnds(engine, () -> false),
        intake,
        Jobs.open(new LocalDisk(), directory, JobLimits.DEFAULT, clock, _ -> {}),
        new Events(new LocalDisk(), directory, clock),
        Duration.ofMillis(20));
  }

  private FrozenLayer layer() {
    return new FrozenLayer(
        "job",
        new LayerFacts(new ContainerId("c"), DESK, 5),
        directory.resolve("tree"),
        FrozenLayer.Kind.EXCHANGED,
        1,
        SeenRun.between(null, Instant.EPOCH),
        List.of());
  }
}
