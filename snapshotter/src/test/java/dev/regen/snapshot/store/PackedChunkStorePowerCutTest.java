package dev.regen.snapshot.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.durable.FaultyDisk;
import dev.regen.runtime.durable.FaultyDisk.Survivors;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The power is cut, or the process killed, at each operation of puts, forces and deletions. */
final class PackedChunkStorePowerCutTest {
  private static final Path CHUNKS = Path.of("/home/chunks");
  private static final int CHUNK_COUNT = 150;
  private static final int PACK_BYTES = PackedChunkStore.SINGLE_BYTES;

  private final Map<Digest, byte[]> content = new HashMap<>();
  private final List<Digest> digests = new ArrayList<>();

  /** What was promised to last, and what is deleted or about to be. */
  private final Set<Digest> promised = new HashSet<>();

  PackedChunkStorePowerCutTest() {
    for (int i = 0; i < CHUNK_COUNT; i++) {
      byte[] bytes = new byte[3000 + i * 70];
      new Random(i).nextBytes(bytes);
      Digest digest = Digest.of(ByteBuffer.wrap(bytes));
      content.put(digest, bytes);
      digests.add(digest);
    }
  }

  @ParameterizedTest
  @EnumSource(Survivors.class)
  void whatWasForcedIsThereAndWhatIsListedIsWhole(Survivors survivors) throws Exception {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    for (long cut = 1; ; cut++) {
      FaultyDisk disk = new FaultyDisk();
      promised.clear();
      disk.cutPowerIn(cut, seed + cut);
      boolean survived = disk.survives(() -> work(disk, seed));
      FaultyDisk next =
          survivors == Survivors.EVERYTHING && cut % 2 == 0
              ? disk.nextProcess()
              : disk.reboot(survivors, seed + cut);

      PackedChunkStore store = new PackedChunkStore(next, CHUNKS, PACK_BYTES);
      assertSound(store, "cut at " + cut);
      // And so it stays when life goes on.
      put(store, digests.subList(0, 20));
      store.force();
      store.delete(digests.subList(0, 10));
      promised.removeAll(digests.subList(0, 10));
      assertSound(store, "life goes on after " + cut);
      assertSound(new PackedChunkStore(next, CHUNKS, PACK_BYTES), "the process after " + cut);
      if (survived) {
        return;
      }
    }
  }

  private void work(FaultyDisk disk, long seed) throws IOException {
    PackedChunkStore store = new PackedChunkStore(disk, CHUNKS, PACK_BYTES);
    put(store, digests.subList(0, 100));
    store.force();
    promised.addAll(digests.subList(0, 100));
    delete(store, digests.subList(20, 40));
    delete(store, digests.subList(60, 64));
    put(store, digests.subList(30, CHUNK_COUNT));
    store.force();
    promised.addAll(digests.subList(30, CHUNK_COUNT));
    List<Digest> some = new ArrayList<>(digests);
    java.util.Collections.shuffle(some, new Random(seed));
    delete(store, some.subList(0, 70));
    PackedChunkStore other = new PackedChunkStore(disk, CHUNKS, PACK_BYTES);
    delete(other, digests);
    put(other, digests.subList(0, 50));
    other.force();
    promised.addAll(digests.subList(0, 50));
  }

  private void put(PackedChunkStore store, List<Digest> some) throws IOException {
    for (Digest digest : some) {
      store.put(digest, ByteBuffer.wrap(bytes(digest)));
    }
  }

  private void delete(PackedChunkStore store, List<Digest> some) throws IOException {
    promised.removeAll(some);
    store.delete(some);
  }

  private void assertSound(PackedChunkStore store, String when) throws IOException {
    assertThat(store.missing(promised)).as(when).isEmpty();
    List<Digest> listed = new ArrayList<>();
    store.list(listed::add);
    for (Digest digest : listed) {
      assertThat(store.get(digest)).as(when).isEqualTo(bytes(digest));
    }
    for (Digest digest : digests) {
      boolean held = store.holds(new Chunk(digest, bytes(digest).length, 1));
      assertThat(held).as(when).isEqualTo(listed.contains(digest));
    }
  }

  private byte[] bytes(Digest digest) {
    return java.util.Objects.requireNonNull(content.get(digest));
  }
}
