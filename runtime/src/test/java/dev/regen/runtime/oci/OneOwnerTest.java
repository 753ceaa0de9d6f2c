package dev.regen.runtime.oci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.oci.HookCall.Verb;
import dev.regen.runtime.oci.OverlayHost.Created;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Several containers of one queue are started at the same moment. */
final class OneOwnerTest {
  private static final int CONTAINERS = 6;
  private static final int ROUNDS = 10;

  @Test
  void onlyOneOfThemStarts() throws IOException, InterruptedException, ExecutionException {
    for (int round = 0; round < ROUNDS; round++) {
      try (OverlayHost host = new OverlayHost();
          ExecutorService starters = Executors.newFixedThreadPool(CONTAINERS)) {
        CountDownLatch all = new CountDownLatch(1);
        List<Future<Answer>> answers = new ArrayList<>();
        List<Created> containers = new ArrayList<>();
        for (int i = 0; i < CONTAINERS; i++) {
          Created container = host.create(true);
          containers.add(container);
          answers.add(
              starters.submit(() -> {
                all.await();
                return host.handle(container, Verb.CREATE);
              }));
        }
        all.countDown();

        int started = 0;
        for (Future<Answer> answer : answers) {
          started += answer.get() instanceof Answer.Go ? 1 : 0;
        }
        assertThat(host.told)
            .as("a misspelt label is told at each first start")
            .contains(
                "UNKNOWN_LABEL container desk has the label regen.keeps, which means nothing to Regen;"
                    + " the nearest that does is regen.keep");
        assertThat(started).as("round %d: %s", round, host.told).isOne();
        for (Created container : containers) {
          host.extension(new LocalDisk()).handle(container.call(Verb.DELETE, true));
        }
        assertThat(host.home().resolve("runs")).as("nothing is left of runs").isEmptyDirectory();
      }
    }
  }
}
