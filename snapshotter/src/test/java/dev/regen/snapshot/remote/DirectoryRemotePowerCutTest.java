package dev.regen.snapshot.remote;

import static dev.regen.snapshot.remote.RemoteStoreContract.bytes;
import static dev.regen.snapshot.remote.RemoteStoreContract.digest;
import static dev.regen.snapshot.remote.RemoteStoreContract.name;
import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.durable.FaultyDisk;
import dev.regen.runtime.durable.FaultyDisk.Survivors;
import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The power is cut, or the process killed, at each operation of puts and deletions. */
final class DirectoryRemotePowerCutTest {
  private static final Path STORE = Path.of("/srv/store");
  private static final Duration LEASE = Duration.ofMinutes(10);
  private static final int CHUNK_COUNT = 12;
  private static final int CUTS_MAX = 1000;

  private final AtomicLong nanos = new AtomicLong();

  @ParameterizedTest
  @EnumSource(Survivors.class)
  void whatWasAnsweredIsThereAndWhatIsListedIsWhole(Survivors survivors) throws Exception {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    boolean survived = false;
    for (int cut = 1; !survived; cut++) {
      assertThat(cut).isLessThan(CUTS_MAX);
      FaultyDisk disk = new FaultyDisk();
      Set<Digest> promised = new HashSet<>();
      disk.cutPowerIn(cut, seed + cut);
      survived = disk.survives(() -> work(disk, promised));
      FaultyDisk next =
          survivors == Survivors.EVERYTHING && cut % 2 == 0
              ? disk.nextProcess()
              : disk.reboot(survivors, seed + cut);
      assertSound(next, promised, "cut at " + cut);
    }
  }

  /** What one answer called present would not be sent again, however soon the power goes. */
  private void assertSound(FaultyDisk disk, Set<Digest> promised, String when) throws Exception {
    List<Digest> present = new ArrayList<>();
    try (DirectoryRemote store = open(disk)) {
      assertThat(store.missing(promised)).as(when).isEmpty();
      long bytes = 0;
      store.list(present::add);
      assertThat(store.missing(present)).as(when).isEmpty();
      for (Digest digest : present) {
        bytes += store.get(digest).length;
      }
      assertThat(store.bytes()).as(when).isEqualTo(bytes);
      assertThat(store.chunkCount()).as(when).isEqualTo(present.size());
    }
    try (DirectoryRemote store = open(disk.reboot(Survivors.ONLY_FORCED, 0))) {
      assertThat(store.missing(present)).as("once more, " + when).isEmpty();
    }
  }

  private void work(FaultyDisk disk, Collection<Digest> promised) throws IOException {
    List<Digest> all = new ArrayList<>();
    try (DirectoryRemote store = open(disk)) {
      for (int i = 0; i < CHUNK_COUNT; i++) {
        byte[] bytes = bytes(i, i % 4 == 0 ? (256 << 10) + i : 200 + i);
        Digest digest = digest(bytes);
        all.add(digest);
        ByteBuffer stored = ByteBuffer.wrap(bytes);
        if (i % 3 == 0) {
          // Somebody else's, who does not wait; who asks for it then waits.
          assertThat(store.add(name(digest, bytes.length), stored)).isTrue();
          assertThat(store.missing(Set.of(digest))).isEmpty();
        } else if (i % 3 == 1) {
          store.put(name(digest, bytes.length), stored);
        } else {
          assertThat(store.add(name(digest, bytes.length), stored)).isTrue();
          assertThat(store.place(digest)).isPresent();
          assertThat(store.force(Set.of(digest))).isEmpty();
        }
        promised.add(digest);
        assertThat(store.store(name(digest, bytes.length), ByteBuffer.wrap(bytes))).isFalse();
      }
      nanos.addAndGet(LEASE.multipliedBy(3).toNanos());
      promised.removeAll(all.subList(0, 7));
      assertThat(store.delete(all.subList(0, 7))).isEmpty();
      for (int i = 0; i < 3; i++) {
        byte[] bytes = bytes(i, i % 4 == 0 ? (256 << 10) + i : 200 + i);
        store.put(name(digest(bytes), bytes.length), ByteBuffer.wrap(bytes));
        promised.add(digest(bytes));
      }
    }
  }

  private DirectoryRemote open(FaultyDisk disk) throws IOException {
    return new DirectoryRemote(disk, STORE, Long.MAX_VALUE, LEASE, nanos::get);
  }
}
