package dev.regen.snapshot.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.care.Pauses;
import dev.regen.snapshot.care.StoreCollection;
import dev.regen.snapshot.care.StoreRemoval;
import dev.regen.snapshot.remote.DirectoryRemote;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Hosts push, give up and remove at random while others collect: what is complete is whole at any
 * time, and in the end nothing else is left.
 */
class CollectionWhilePushingTest {
  static final Duration LEASE = Duration.ofSeconds(1);
  private static final long SECONDS = 6;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path directory;

  /** A store that several hosts use; each may open it, or share one. */
  interface Shared extends AutoCloseable {
    RemoteStore open() throws IOException;

    @Override
    void close() throws IOException;
  }

  Shared shared() throws Exception {
    DirectoryRemote store = new DirectoryRemote(directory.resolve("s"), Long.MAX_VALUE, LEASE);
    return new Shared() {
      @Override
      public RemoteStore open() {
        return new SharedStore(store);
      }

      @Override
      public void close() {
        store.close();
      }
    };
  }

  /** As long as what was leased or marked is kept, and a little. */
  Duration grace() {
    return LEASE.multipliedBy(2).plusMillis(200);
  }

  @Test
  void nothingCompleteEverLosesAChunk() throws Exception {
    long seed = new Random().nextLong();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    try (Shared shared = shared()) {
      AtomicLong collected = new AtomicLong();
      long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
      List<FutureTask<Void>> all = new ArrayList<>();
      for (int host = 0; host < 2; host++) {
        TestHost one = new TestHost(directory.resolve("host-" + host));
        Random its = new Random(random.nextLong());
        long[] last = new long[1];
        all.add(
            task(
                until,
                () -> {
                  // Another one than the last, which would make no snapshot.
                  last[0] = (last[0] + 1 + its.nextInt(4)) % 6;
                  step(one, shared, last[0], its);
                }));
      }
      for (int i = 0; i < 2; i++) {
        all.add(task(until, () -> collected.addAndGet(collect(shared).deleted())));
      }
      for (FutureTask<Void> one : all) {
        one.get(60, TimeUnit.SECONDS);
      }
      System.out.println(collected + " chunks were collected meanwhile");
      assertAllWhole(shared);
      removeAll(shared);
      assertThat(collected.get()).as("seed %d", seed).isPositive();
    }
  }

  private interface Step {
    void run() throws Exception;
  }

  private static FutureTask<Void> task(long until, Step step) {
    FutureTask<Void> task =
        new FutureTask<>(() -> {
          while (System.nanoTime() < until) {
            step.run();
          }
          return null;
        });
    Thread.ofPlatform().daemon().start(task);
    return task;
  }

  /** Files of few seeds, so that hosts have chunks in common. */
  private static void step(TestHost host, Shared shared, long tree, Random random)
      throws Exception {
    try (RemoteStore store = shared.open()) {
      switch (random.nextInt(4)) {
        case 0 -> {
          List<StoredSnapshot> complete = new RemoteQueue(store, TestHost.DESK).list().complete();
          if (!complete.isEmpty()) {
            String id = complete.get(random.nextInt(complete.size())).id().value();
            removeIfThere(store, id);
          }
        }
        case 1 -> {
          AtomicLong done = new AtomicLong();
          SnapshotId id = host.capture(tree, 6);
          try {
            host.push.push(store, TestHost.DESK, id, givenUpAfter(2, done));
          } catch (CancellationException e) {
            // Its upload stays.
          }
        }
        default -> host.push(store, host.capture(tree, 6));
      }
    }
  }

  private static void removeIfThere(RemoteStore store, String id) throws IOException {
    try {
      new StoreRemoval(store).remove(TestHost.DESK, id);
    } catch (RegenException.NotFound | RegenException.Refused e) {
      // The other host removed it, or pushes it anew.
    }
  }

  private static TransferProgress givenUpAfter(int chunks, AtomicLong done) {
    return new TransferProgress() {
      @Override
      public void done(long chunksDone, long bytes) {
        done.set(chunksDone);
      }

      @Override
      public boolean cancelled() {
        return done.get() >= chunks;
      }
    };
  }

  private StoreCollection.Result collect(Shared shared) throws IOException {
    try (RemoteStore store = shared.open()) {
      return new StoreCollection(store, InstantSource.system(), Pauses.REAL)
          .run(grace(), TransferProgress.NONE);
    }
  }

  private void assertAllWhole(Shared shared) throws Exception {
    TestHost reader = new TestHost(directory.resolve("reader"));
    try (RemoteStore store = shared.open()) {
      List<StoredSnapshot> complete = new RemoteQueue(store, TestHost.DESK).list().complete();
      System.out.println(complete.size() + " snapshots are complete");
      for (StoredSnapshot one : complete) {
        reader.pull.pull(store, TestHost.DESK, one.id().value(), TransferProgress.NONE);
      }
    }
    assertThat(reader.captures.checks().verify(null).allWell()).isTrue();
  }

  /** A day later, when nobody uses it any more. */
  private void removeAll(Shared shared) throws Exception {
    try (RemoteStore store = shared.open()) {
      for (StoredSnapshot one : new RemoteQueue(store, TestHost.DESK).list().complete()) {
        removeIfThere(store, one.id().value());
      }
    }
    long left = 1;
    for (int i = 0; i < 4 && left > 0; i++) {
      Pauses.REAL.pass(grace(), TransferProgress.NONE);
      try (RemoteStore store = shared.open()) {
        InstantSource later =
            InstantSource.offset(InstantSource.system(), StoredChunks.UPLOAD_LEASE.plusMinutes(1));
        new StoreCollection(store, later, Pauses.REAL).run(grace(), TransferProgress.NONE);
        for (StoredSnapshot one : new RemoteQueue(store, TestHost.DESK).list().complete()) {
          removeIfThere(store, one.id().value());
        }
        List<Object> chunks = new ArrayList<>();
        store.listAll(chunks::add);
        left = chunks.size();
      }
    }
    try (RemoteStore store = shared.open()) {
      assertThat(store.records("")).isEmpty();
    }
    assertThat(left).as("chunks in the end").isZero();
  }
}
