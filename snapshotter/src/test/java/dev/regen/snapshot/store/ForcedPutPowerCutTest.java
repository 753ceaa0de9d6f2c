package dev.regen.snapshot.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.durable.FaultyDisk;
import dev.regen.runtime.durable.FaultyDisk.Survivors;
import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The power is cut at each operation of puts that return when their chunk lasts. */
final class ForcedPutPowerCutTest {
  private static final Path CHUNKS = Path.of("/store/chunks");
  private static final int CHUNK_COUNT = 12;
  private static final int CUTS_MAX = 1000;

  @ParameterizedTest
  @EnumSource(Survivors.class)
  void whatWasPutIsThereAndWhatIsListedIsWhole(Survivors survivors) throws Exception {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    boolean survived = false;
    for (int cut = 1; !survived; cut++) {
      assertThat(cut).isLessThan(CUTS_MAX);
      FaultyDisk disk = new FaultyDisk();
      List<Digest> promised = new ArrayList<>();
      disk.cutPowerIn(cut, seed + cut);
      survived = disk.survives(() -> putAll(disk, promised));

      DirectoryChunkStore store =
          new DirectoryChunkStore(disk.reboot(survivors, seed + cut), CHUNKS);
      assertThat(store.missing(promised)).as("cut at %d", cut).isEmpty();
      List<Digest> listed = new ArrayList<>();
      store.list(listed::add);
      for (Digest digest : listed) {
        assertThat(Digest.of(ByteBuffer.wrap(store.get(digest)))).isEqualTo(digest);
      }
    }
  }

  private static void putAll(FaultyDisk disk, List<Digest> promised) throws IOException {
    DirectoryChunkStore store = new DirectoryChunkStore(disk, CHUNKS);
    for (int i = 0; i < CHUNK_COUNT; i++) {
      byte[] bytes = new byte[200 + i];
      new Random(i).nextBytes(bytes);
      Digest digest = Digest.of(ByteBuffer.wrap(bytes));
      // Every third was put by somebody who does not wait; who asks for it then waits.
      if (i % 3 == 0) {
        store.put(digest, ByteBuffer.wrap(bytes));
        assertThat(store.missing(Set.of(digest))).isEmpty();
        store.force(digest);
      } else {
        assertThat(store.putForced(digest, ByteBuffer.wrap(bytes))).isTrue();
      }
      promised.add(digest);
      assertThat(store.putForced(digest, ByteBuffer.wrap(bytes))).isFalse();
    }
  }
}
