package dev.regen.snapshot.care;

import static dev.regen.snapshot.remote.RemoteStoreContract.bytes;
import static dev.regen.snapshot.remote.RemoteStoreContract.digest;
import static dev.regen.snapshot.remote.RemoteStoreContract.name;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.DirectoryRemote;
import dev.regen.snapshot.remote.Placement;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.ShardedStore;
import dev.regen.snapshot.store.PackedChunkStore;
import dev.regen.snapshot.store.StoredBytes;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Servers come, go and lose what they had; what is stored is always to be had. */
final class RebalancingTest {
  private static final int CHUNKS = 160;
  private static final int SIZE = 500;
  private static final Duration LEASE = Duration.ofMillis(1);

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  private final List<Digest> all = new ArrayList<>();

  @Test
  void aServerThatIsAddedGetsItsShareAndNothingElseMoves() throws Exception {
    try (ShardedStore three = store(2, 1, 1, 1)) {
      putAll(three);
    }
    try (ShardedStore four = store(2, 1, 1, 1, 1)) {
      Rebalanced done = rebalance(four);
      // Each chunk's two copies are on the new one with probability 2/4.
      assertThat(done.moved()).isBetween(CHUNKS * 38L / 100, CHUNKS * 62L / 100);
      assertThat(done.repaired()).isZero();
      assertThat(done.removed() + done.left()).isEqualTo(done.moved());
      assertThat(done.bytes()).isEqualTo(done.moved() * SIZE);
      assertAllInPlace(four);
      assertThat(rebalance(four))
          .as("nothing is left to do")
          .isEqualTo(new Rebalanced(CHUNKS, 0, 0, 0, 0, 0, 0, 0, List.of(), 0));
    }
  }

  @Test
  void withOneCopyEachMovesOneChunkInFourAndRecordsToo() throws Exception {
    try (ShardedStore three = store(1, 1, 1, 1)) {
      putAll(three);
      for (int i = 0; i < 40; i++) {
        assertThat(three.replaceRecord(recordName(i), record(i), null)).isTrue();
      }
    }
    try (ShardedStore four = store(1, 1, 1, 1, 1)) {
      Rebalanced done = rebalance(four);
      assertThat(done.moved()).isBetween(CHUNKS * 17L / 100, CHUNKS * 33L / 100);
      assertThat(done.records()).isPositive().isLessThan(25);
      assertAllInPlace(four);
      assertThat(four.records("")).hasSize(40);
      for (int i = 0; i < 40; i++) {
        assertThat(four.record(recordName(i))).hasValue(record(i));
      }
    }
  }

  @Test
  void whatALostServerHadIsMadeAgainFromTheOtherCopies() throws Exception {
    try (ShardedStore three = store(2, 1, 1, 1)) {
      putAll(three);
    }
    Files.move(directory.resolve("s1"), directory.resolve("lost"));
    try (ShardedStore again = store(2, 1, 1, 1)) {
      Rebalanced done = rebalance(again);
      assertThat(done.repaired()).isBetween(CHUNKS * 55L / 100, CHUNKS * 78L / 100);
      assertThat(done.moved() + done.removed()).isZero();
      assertAllInPlace(again);
    }
  }

  @Test
  void aServerOfWeightZeroIsEmptied() throws Exception {
    try (ShardedStore three = store(1, 1, 1, 1)) {
      putAll(three);
    }
    try (ShardedStore two = store(1, 1, 1, 0)) {
      rebalance(two);
      assertThat(two.shards().orElseThrow().stores().get(2).missing(all)).hasSize(CHUNKS);
      assertAllInPlace(two);
    }
  }

  @Test
  void aDamagedCopyIsHealedWhenAllAreRead() throws Exception {
    try (ShardedStore three = store(2, 1, 1, 1)) {
      putAll(three);
      for (Digest digest : all.subList(0, 20)) {
        damage(three.shards().orElseThrow().placement().copies(digest).get(1), digest);
      }
      Rebalanced done = new Rebalancing(three).run(true, TransferProgress.NONE);
      assertThat(done.healed()).isEqualTo(20);
      assertAllInPlace(three);
    }
  }

  @Test
  void aGoodCopyIsNotRemovedForADamagedOne() throws Exception {
    try (ShardedStore three = store(1, 1, 1, 1)) {
      putAll(three);
    }
    try (ShardedStore four = store(1, 1, 1, 1, 1)) {
      int count = 0;
      for (Digest digest : all) {
        if (four.shards().orElseThrow().placement().copies(digest).equals(List.of(3))) {
          at(four, 3).put(name(digest, SIZE), ByteBuffer.wrap(at(four, digest)));
          damage(3, digest);
          count++;
        }
      }
      Rebalanced done = rebalance(four);
      assertThat(done.healed()).isEqualTo(count).isPositive();
      assertAllInPlace(four);
    }
  }

  @Test
  void interruptedAnywhereEverythingIsThereAndTheNextGoesOn() throws Exception {
    try (ShardedStore three = store(1, 1, 1, 1)) {
      putAll(three);
    }
    long moved = 0;
    try (ShardedStore four = store(1, 1, 1, 1, 1)) {
      for (int stopAt = 1; stopAt < 25; stopAt += 8) {
        AtomicLong done = new AtomicLong();
        int end = stopAt;
        TransferProgress until =
            new TransferProgress() {
              @Override
              public void done(long chunks, long bytes) {
                done.set(chunks);
              }

              @Override
              public boolean cancelled() {
                return done.get() >= end;
              }
            };
        assertThatThrownBy(() -> new Rebalancing(four).run(false, until))
            .isInstanceOf(CancellationException.class);
        assertThat(done.get()).isLessThan(end + 4L);
        moved += done.get();
        readAll(four);
        assertThat(four.missing(all)).isEmpty();
        Thread.sleep(20);
      }
      assertThat(rebalance(four).moved()).isLessThan(CHUNKS * 33L / 100 - moved + 9);
      assertAllInPlace(four);
    }
  }

  @Test
  void aStoreThatIsOneIsRefusedAndSoIsOneOfWhichAServerIsAway() throws Exception {
    try (DirectoryRemote alone = new DirectoryRemote(directory.resolve("alone"), 1000)) {
      assertThatThrownBy(() -> new Rebalancing(alone).run(false, TransferProgress.NONE))
          .isInstanceOf(RegenException.Misuse.class);
    }
  }

  private Rebalanced rebalance(ShardedStore store) throws Exception {
    Thread.sleep(20); // Leases of what was put.
    Rebalanced done = new Rebalancing(store).run(false, TransferProgress.NONE);
    assertThat(done.troubles()).isEmpty();
    return done;
  }

  private ShardedStore store(int replicas, int... weights) throws IOException {
    List<Placement.Server> servers = new ArrayList<>();
    List<RemoteStore> stores = new ArrayList<>();
    for (int i = 0; i < weights.length; i++) {
      servers.add(new Placement.Server("s" + i, weights[i], "s" + i));
      stores.add(new DirectoryRemote(directory.resolve("s" + i), Long.MAX_VALUE, LEASE));
    }
    return new ShardedStore(new Placement(servers, replicas), stores);
  }

  private void putAll(ShardedStore store) throws IOException {
    for (int i = 0; i < CHUNKS; i++) {
      byte[] chunk = bytes(i, SIZE);
      store.put(name(digest(chunk), SIZE), ByteBuffer.wrap(chunk));
      all.add(digest(chunk));
    }
  }

  private void readAll(ShardedStore store) throws IOException {
    for (Digest digest : all) {
      assertThat(store.get(digest)).hasSize(SIZE);
    }
  }

  /** Each chunk is where it belongs, whole, and nowhere else, unless it is still leased there. */
  private void assertAllInPlace(ShardedStore store) throws IOException {
    Placement placement = store.shards().orElseThrow().placement();
    for (Digest digest : all) {
      for (int i = 0; i < placement.servers().size(); i++) {
        if (placement.copies(digest).contains(i)) {
          assertThat(at(store, i).get(digest)).hasSize(SIZE);
        } else {
          assertThat(at(store, i).missing(Set.of(digest))).hasSize(1);
        }
      }
    }
  }

  private static byte[] at(ShardedStore store, Digest digest) throws IOException {
    return store.get(digest);
  }

  private static RemoteStore at(ShardedStore store, int server) {
    return store.shards().orElseThrow().stores().get(server);
  }

  private void damage(int server, Digest digest) throws IOException {
    Path chunks = directory.resolve("s" + server + "/chunks");
    StoredBytes.flipBit(new PackedChunkStore(new LocalDisk(), chunks), digest);
  }

  private static byte[] record(int i) {
    return bytes(1000 + i, 50);
  }

  private static String recordName(int i) {
    return "queues/q/x" + i + "-" + RemoteStore.tag(record(i)).substring(0, 16);
  }
}
