package dev.regen.snapshot.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.DiskFullException;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.store.DirectoryChunkStore;
import dev.regen.snapshot.store.StoredBytes;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DirectoryRemoteTest extends RemoteStoreContract {
  private static final Duration LEASE = Duration.ofMinutes(10);

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 1);

  @Override
  protected RemoteStore open() throws IOException {
    return new DirectoryRemote(directory.resolve("contract"), Long.MAX_VALUE);
  }

  @Test
  void aLeaseHoldsForItsTimeIsRenewedByAskingAndThenRunsOut() throws IOException {
    try (DirectoryRemote store = small(Long.MAX_VALUE)) {
      byte[] bytes = put(store, 1, 100);
      Digest digest = digest(bytes);
      pass(LEASE.minusSeconds(1));
      assertThat(store.missing(Set.of(digest))).isEmpty();
      pass(LEASE.minusSeconds(1));
      assertThatThrownBy(() -> store.delete(digest)).isInstanceOf(RegenException.Refused.class);
      pass(LEASE.multipliedBy(2));

      store.delete(digest);

      assertThat(store.missing(Set.of(digest))).hasSize(1);
      assertThat(store.chunkCount()).isZero();
      assertThat(store.bytes()).isZero();
    }
  }

  @Test
  void afterAStartEverythingIsLeasedForAWhile() throws IOException {
    byte[] bytes;
    try (DirectoryRemote store = small(Long.MAX_VALUE)) {
      bytes = put(store, 2, 100);
    }
    try (DirectoryRemote store = small(Long.MAX_VALUE)) {
      assertThatThrownBy(() -> store.delete(digest(bytes)))
          .isInstanceOf(RegenException.Refused.class);
      pass(LEASE.plusSeconds(1));
      store.delete(digest(bytes));
    }
  }

  @Test
  void whatIsOverTheQuotaIsRefusedAndWhatIsThereCountsAfterAStart() throws IOException {
    byte[] bytes;
    try (DirectoryRemote store = small(1000)) {
      bytes = put(store, 3, 600);
      assertThatThrownBy(() -> put(store, 4, 401))
          .isInstanceOf(RegenException.Refused.class)
          .satisfies(e -> assertThat(DiskFullException.behind(e)).isPresent());
      put(store, 3, 600);
      assertThat(store.replaceRecord("r", new byte[300], null)).isTrue();
      assertThat(store.replaceRecord("r", new byte[100], null)).isTrue();
    }
    try (DirectoryRemote store = small(1000)) {
      assertThat(store.bytes()).isEqualTo(700);
      assertThat(store.chunkCount()).isEqualTo(1);
      assertThatThrownBy(() -> put(store, 5, 301)).isInstanceOf(RegenException.Refused.class);
      put(store, 6, 300);
      assertThat(store.get(digest(bytes), 600)).isEqualTo(bytes);
    }
  }

  @Test
  void aDamagedChunkIsMendedByTheNextPut() throws IOException {
    try (DirectoryRemote store = small(Long.MAX_VALUE)) {
      byte[] bytes = put(store, 7, 1000);
      StoredBytes.flipBit(store.place(digest(bytes)).orElseThrow());
      assertThatThrownBy(() -> store.get(digest(bytes), 1000))
          .isInstanceOf(RegenException.Damaged.class);

      assertThat(store.store(name(digest(bytes), 1000), ByteBuffer.wrap(bytes))).isTrue();

      assertThat(store.get(digest(bytes), 1000)).isEqualTo(bytes);
      assertThat(store.bytes()).isEqualTo(1000);
      assertThat(store.chunkCount()).isEqualTo(1);
    }
  }

  @Test
  void aDirectoryOfAnEarlierBuildIsReadOnAndGivenBackWhole() throws IOException {
    byte[] old = bytes(20, 1000);
    try (DirectoryRemote store = small(Long.MAX_VALUE)) {
      put(store, 21, 1000);
    }
    DirectoryChunkStore before =
        new DirectoryChunkStore(directory.resolve("own").resolve("chunks"));
    before.put(digest(old), ByteBuffer.wrap(old));
    before.force();

    try (DirectoryRemote store = small(Long.MAX_VALUE)) {
      assertThat(store.bytes()).isEqualTo(2000);
      assertThat(store.missing(Set.of(digest(old)))).isEmpty();
      assertThat(store.get(digest(old))).isEqualTo(old);
      assertThat(store.store(name(digest(old), 1000), ByteBuffer.wrap(old))).isFalse();
      List<Digest> all = new ArrayList<>();
      store.list(all::add);
      assertThat(all).containsExactlyInAnyOrder(digest(old), digest(bytes(21, 1000)));
      pass(LEASE.multipliedBy(3));

      assertThat(store.delete(all)).isEmpty();

      assertThat(store.bytes()).isZero();
      assertThat(store.chunkCount()).isZero();
      assertThat(store.missing(all)).hasSize(2);
    }
  }

  @Test
  void ofManyThatAreDeletedTheLeasedOnesStay() throws IOException {
    try (DirectoryRemote store = small(Long.MAX_VALUE)) {
      List<Digest> all = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        all.add(digest(put(store, 100 + i, i % 5 == 0 ? 300_000 : 1000)));
      }
      pass(LEASE.multipliedBy(3));
      store.missing(all.subList(3, 8));

      assertThat(store.delete(all)).containsExactlyInAnyOrderElementsOf(all.subList(3, 8));

      assertThat(store.missing(all)).hasSize(15);
      assertThat(store.chunkCount()).isEqualTo(5);
      assertThat(store.bytes()).isEqualTo(4 * 1000 + 300_000);
    }
  }

  /** The one's force fails, and takes away what the other waits for. */
  @Test
  void whatCouldNotBeForcedIsPromisedToNobodyAndCountsForNothing() throws IOException {
    AtomicBoolean broken = new AtomicBoolean();
    LocalDisk local = new LocalDisk();
    Disk disk =
        (Disk)
            Proxy.newProxyInstance(
                Disk.class.getClassLoader(),
                new Class<?>[] {Disk.class},
                (_, method, arguments) -> {
                  if (method.getName().equals("force") && broken.get()) {
                    throw new IOException("bad sector");
                  }
                  try {
                    return method.invoke(local, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
    try (DirectoryRemote store =
        new DirectoryRemote(disk, directory.resolve("own"), 1_000_000, LEASE, nanos::get)) {
      for (int length : new int[] {1000, 300_000}) {
        byte[] bytes = bytes(length, length);
        ChunkName name = name(digest(bytes), length);
        broken.set(true);
        assertThat(store.add(name, ByteBuffer.wrap(bytes))).isTrue();
        assertThat(store.add(name, ByteBuffer.wrap(bytes))).isFalse();

        assertThatThrownBy(() -> store.force(Set.of(digest(bytes))))
            .hasStackTraceContaining("bad sector");
        assertThat(store.force(Set.of(digest(bytes)))).hasSize(1);
        assertThat(store.lossCause()).hasStackTraceContaining("bad sector");
        assertThat(store.missing(Set.of(digest(bytes)))).hasSize(1);
        assertThat(store.bytes()).isZero();
        assertThat(store.chunkCount()).isZero();

        broken.set(false);
        assertThat(store.store(name, ByteBuffer.wrap(bytes))).isTrue();
        pass(LEASE.multipliedBy(3));
        store.delete(digest(bytes));
      }
    }
  }

  /** While one force names files, what the one before it named is not taken for lost. */
  @Test
  void whoPutsWhileOthersForceIsToldThatItsChunksLast() throws Exception {
    try (DirectoryRemote store = small(Long.MAX_VALUE);
        ExecutorService threads = Executors.newFixedThreadPool(6)) {
      List<Future<?>> writers = new ArrayList<>();
      for (int writer = 0; writer < 6; writer++) {
        long seed = 1000L * writer;
        writers.add(
            threads.submit(() -> {
              for (int i = 0; i < 50; i++) {
                put(store, seed + i, i % 2 == 0 ? 2000 : 260 << 10);
              }
              return null;
            }));
      }
      for (Future<?> writer : writers) {
        writer.get();
      }
      assertThat(store.chunkCount()).isEqualTo(300);
      assertThat(store.bytes()).isEqualTo(150L * 2000 + 150L * (260 << 10));
    }
  }

  @Test
  void aSecondOpenerIsRefusedAndTheIdStays() throws IOException {
    String id;
    try (DirectoryRemote store = small(Long.MAX_VALUE)) {
      id = store.id();
      assertThatThrownBy(() -> small(Long.MAX_VALUE)).isInstanceOf(RegenException.Refused.class);
    }
    try (DirectoryRemote store = small(Long.MAX_VALUE)) {
      assertThat(store.id()).isEqualTo(id).matches("[0-9a-f]{32}");
    }
  }

  private DirectoryRemote small(long quotaBytes) throws IOException {
    return new DirectoryRemote(
        new LocalDisk(), directory.resolve("own"), quotaBytes, LEASE, nanos::get);
  }

  private void pass(Duration time) {
    nanos.addAndGet(time.toNanos());
  }

  private static byte[] put(DirectoryRemote store, long seed, int length) throws IOException {
    byte[] bytes = bytes(seed, length);
    store.put(name(digest(bytes), length), ByteBuffer.wrap(bytes));
    return bytes;
  }
}
