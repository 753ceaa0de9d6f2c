package dev.regen.snapshot.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.durable.DiskFullException;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
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
      Path file = store.file(digest(bytes)).orElseThrow();
      byte[] bad = bytes.clone();
      bad[500] ^= 1;
      Files.write(file, bad);
      assertThatThrownBy(() -> store.get(digest(bytes), 1000))
          .isInstanceOf(RegenException.Damaged.class);

      assertThat(store.store(name(digest(bytes), 1000), ByteBuffer.wrap(bytes))).isTrue();

      assertThat(store.get(digest(bytes), 1000)).isEqualTo(bytes);
      assertThat(store.bytes()).isEqualTo(1000);
      assertThat(store.chunkCount()).isEqualTo(1);
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
