package dev.regen.snapshot.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.store.StoredBytes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Four stores, of two failure domains, two copies. */
final class ShardedStoreTest extends RemoteStoreContract {
  private static final int CHUNKS = 60;
  private static final int LARGE = 3;
  private static final int LARGE_BYTES = 3 << 20;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  private final List<Breakable> stores = new ArrayList<>();
  private final List<Digest> put = new ArrayList<>();

  @SuppressWarnings("NullAway.Init")
  private ShardedStore sharded;

  @Override
  protected RemoteStore open() throws IOException {
    sharded = opened(4);
    return sharded;
  }

  @AfterEach
  void nothingWasLost() {
    stores.forEach(store -> store.broken = null);
  }

  @Test
  void eachChunkHasItsCopiesInDifferentDomains() throws IOException {
    putAll();
    for (Digest digest : put) {
      List<Integer> at = holders(digest);
      assertThat(at).hasSize(2);
      assertThat(at.get(0) % 2).as("domains").isNotEqualTo(at.get(1) % 2);
    }
    assertThat(sharded.troubles()).isEmpty();
  }

  @Test
  void oneLostServerStillReadsAndMissesNothing() throws IOException {
    putAll();
    for (Breakable lost : stores) {
      lost.broken = new IOException("no route to host");
      readAll();
      assertThat(sharded.missing(put)).isEmpty();
      assertThat(sharded.troubles()).anyMatch(said -> said.contains("no route to host"));
      assertThat(sharded.records("")).isEmpty();
      lost.broken = null;
    }
  }

  @Test
  void aPutWhileAServerIsAwayHasItsCopiesElsewhere() throws IOException {
    stores.get(0).broken = new IOException("no route to host");
    putAll();
    stores.get(0).broken = null;
    for (Digest digest : put) {
      assertThat(holders(digest)).hasSize(2).doesNotContain(0);
    }
  }

  @Test
  void whatAServerHasFarTooMuchOfGoesToTheNextAndIsFoundThere() throws Exception {
    ShardedStore single = single(1, 1, 1, 1);
    withLongLine(
        single,
        () -> {
          for (byte[] bytes : firstAt(single, 0, 5)) {
            put(single, bytes);
            assertThat(holders(digest(bytes))).hasSize(1).doesNotContain(0);
            assertThat(single.missing(Set.of(digest(bytes)))).isEmpty();
            assertThat(single.get(digest(bytes), bytes.length)).isEqualTo(bytes);
          }
          for (byte[] bytes : firstAt(single, 1, 5)) {
            put(single, bytes);
            assertThat(holders(digest(bytes))).containsExactly(1);
          }
          return true;
        });
    byte[] later = firstAt(single, 0, 1, 501).getFirst();
    put(single, later);
    assertThat(holders(digest(later))).containsExactly(0);
    assertThat(single.troubles()).isEmpty();
  }

  @Test
  void neitherAFullServerNorOneThatIsToGoTakesAnothersShare() throws Exception {
    ShardedStore single = single(1, 1, 0);
    stores.get(1).broken = new RegenException.Refused("http://h1 answers 507: full");
    put(single, firstAt(single, 1, 1).getFirst());
    byte[] bytes = firstAt(single, 0, 1).getFirst();
    withLongLine(
        single,
        () -> {
          try (ExecutorService thread = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> waits = thread.submit(() -> put(single, bytes));
            awaitPutting(LARGE + 1);
            stores.get(0).held.countDown();
            return waits.get();
          }
        });
    assertThat(holders(digest(bytes))).containsExactly(0);
  }

  @Test
  void aFullServerIsPassedOverAndTold() throws IOException {
    stores.get(1).broken = new RegenException.Refused("http://h1 answers 507: full");
    putAll();
    assertThat(sharded.troubles()).containsExactly("passed over: http://h1 answers 507: full");
    assertThat(sharded.missing(put)).isEmpty();
  }

  @Test
  void withAWholeDomainAwayThereIsOneCopyAndItIsSaidAndMadeGoodLater() throws IOException {
    stores.get(0).broken = new IOException("down");
    stores.get(2).broken = new IOException("down");
    putAll();
    assertThat(sharded.missing(put)).as("nobody could take another").isEmpty();
    assertThat(sharded.troubles().getLast())
        .isEqualTo(
            CHUNKS
                + " chunks or records have fewer than 2 copies; push again when all servers answer");

    stores.get(0).broken = null;
    stores.get(2).broken = null;
    try (ShardedStore later = opened(4)) {
      assertThat(later.missing(put)).containsExactlyInAnyOrderElementsOf(put);
      long before = stores.stream().mapToLong(store -> store.puts).sum();
      putAll(later);
      assertThat(stores.stream().mapToLong(store -> store.puts).sum())
          .as("only the missing copies are sent")
          .isEqualTo(before + CHUNKS);
      assertThat(later.missing(put)).isEmpty();
      assertThat(later.troubles()).isEmpty();
    }
  }

  @Test
  void whenAllAreFullThatIsSaidAndWhenAllAreAwayToo() {
    stores.forEach(store -> store.broken = new RegenException.Refused("full"));
    assertThatThrownBy(this::putAll).isInstanceOf(RegenException.Refused.class);
    stores.forEach(store -> store.broken = new IOException("down"));
    assertThatThrownBy(this::putAll)
        .isInstanceOf(IOException.class)
        .isNotInstanceOf(RegenException.class);
    assertThatThrownBy(() -> sharded.missing(Set.of())).hasMessageContaining("down");
  }

  @Test
  void namesAreNotToldWhereSomeMayBeHidden() throws IOException {
    assertThat(sharded.replaceRecord("a", new byte[] {1}, null)).isTrue();
    stores.get(0).broken = new IOException("down");
    assertThat(sharded.records("")).containsExactly("a");
    assertThat(sharded.record("a")).isPresent();
    stores.get(1).broken = new IOException("down");
    assertThatThrownBy(() -> sharded.records("")).hasMessageContaining("down");
    assertThatThrownBy(() -> sharded.record("b")).hasMessageContaining("down");
  }

  @Test
  void aDamagedCopyIsPassedOverHealedAndTold() throws IOException {
    putAll();
    for (Digest digest : put) {
      damage(placement(4).copies(digest).getFirst(), digest);
    }
    readAll();
    for (Digest digest : put) {
      for (int at : holders(digest)) {
        assertThat(stores.get(at).store.get(digest, 500)).hasSize(500);
      }
    }
    assertThat(sharded.troubles()).allMatch(said -> said.contains("healed")).isNotEmpty();
  }

  @Test
  void aChunkWhoseCopiesAreAllDamagedIsDamaged() throws IOException {
    putAll();
    Digest digest = put.getFirst();
    for (int at : holders(digest)) {
      damage(at, digest);
    }
    assertThatThrownBy(() -> sharded.get(digest, 500)).isInstanceOf(RegenException.Damaged.class);
  }

  @Test
  void aDamagedCopyIsHealedByWhoReadsIntoMemoryOfHisOwn() throws IOException {
    putAll();
    Digest digest = put.getFirst();
    int first = placement(4).copies(digest).getFirst();
    damage(first, digest);
    byte[] memory = new byte[600];

    sharded.get(digest, 500, memory);

    assertThat(memory).startsWith(bytes(0, 500));
    assertThat(stores.get(first).get(digest, 500)).isEqualTo(bytes(0, 500));
  }

  @Test
  void whatWasPutBeforeAServerCameIsFoundAndNotSentAgain() throws IOException {
    putAll();
    try (ShardedStore five = opened(5)) {
      assertThat(five.missing(put)).isEmpty();
      readAll(five);
    }
  }

  private ShardedStore opened(int count) throws IOException {
    for (int i = stores.size(); i < count; i++) {
      stores.add(new Breakable(new DirectoryRemote(directory.resolve("s" + i), Long.MAX_VALUE)));
    }
    return new ShardedStore(placement(count), List.copyOf(stores.subList(0, count)));
  }

  /** One copy of each, on servers of these weights. */
  private ShardedStore single(int... weights) {
    List<Placement.Server> servers = new ArrayList<>();
    for (int i = 0; i < weights.length; i++) {
      servers.add(new Placement.Server("http://h" + i, weights[i], "rack" + i));
    }
    return new ShardedStore(
        new Placement(servers, 1), List.copyOf(stores.subList(0, weights.length)));
  }

  /** While puts of 9 MiB wait for the first server. */
  private void withLongLine(ShardedStore store, Callable<?> todo) throws Exception {
    CountDownLatch held = new CountDownLatch(1);
    stores.get(0).held = held;
    List<Future<?>> waiting = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < LARGE; i++) {
        byte[] bytes = firstAt(store, 0, 1, LARGE_BYTES + i).getFirst();
        waiting.add(threads.submit(() -> put(store, bytes)));
      }
      try {
        awaitPutting(LARGE);
        todo.call();
      } finally {
        held.countDown();
      }
    }
    for (Future<?> put : waiting) {
      put.get();
    }
  }

  private void awaitPutting(int count) throws InterruptedException {
    for (int i = 0; stores.get(0).putting.get() < count; i++) {
      assertThat(i).as("ms until %d puts wait there", count).isLessThan(30_000);
      Thread.sleep(1);
    }
  }

  /** Chunks that belong on a server. */
  private static List<byte[]> firstAt(ShardedStore store, int server, int count, int sizeBytes) {
    return IntStream.iterate(0, i -> i + 1)
        .mapToObj(i -> bytes(i, sizeBytes))
        .filter(bytes -> store.load().servers(digest(bytes), Load.Way.PUT).contains(server))
        .limit(count)
        .toList();
  }

  private static List<byte[]> firstAt(ShardedStore store, int server, int count) {
    return firstAt(store, server, count, 500);
  }

  private static Digest put(ShardedStore store, byte[] bytes) throws IOException {
    store.put(name(digest(bytes), bytes.length), ByteBuffer.wrap(bytes));
    return digest(bytes);
  }

  private static Placement placement(int count) {
    List<Placement.Server> servers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      servers.add(new Placement.Server("http://h" + i, 1, "rack" + i % 2));
    }
    return new Placement(servers, 2);
  }

  private void putAll() throws IOException {
    putAll(sharded);
  }

  private void putAll(ShardedStore store) throws IOException {
    put.clear();
    for (int i = 0; i < CHUNKS; i++) {
      byte[] bytes = bytes(i, 500);
      store.put(name(digest(bytes), 500), ByteBuffer.wrap(bytes));
      put.add(digest(bytes));
    }
  }

  private void readAll() throws IOException {
    readAll(sharded);
  }

  private void readAll(ShardedStore store) throws IOException {
    for (int i = 0; i < CHUNKS; i++) {
      assertThat(store.get(put.get(i), 500)).isEqualTo(bytes(i, 500));
    }
  }

  private List<Integer> holders(Digest digest) throws IOException {
    List<Integer> at = new ArrayList<>();
    for (int i = 0; i < stores.size(); i++) {
      if (stores.get(i).store.missing(Set.of(digest)).isEmpty()) {
        at.add(i);
      }
    }
    return at;
  }

  private void damage(int at, Digest digest) throws IOException {
    StoredBytes.flipBit(stores.get(at).store.place(digest).orElseThrow());
  }
}
