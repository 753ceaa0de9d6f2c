package dev.regen.snapshot.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.snapshot.Digest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class PackIndexTest {
  /** Digests whose first places collide, so that gaps close over others. */
  @Test
  void itAgreesWithAMapUnderAnyAdditionsAndRemovals() {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    List<Digest> digests = new ArrayList<>();
    for (int i = 0; i < 3000; i++) {
      byte[] bytes = new byte[32];
      random.nextBytes(bytes);
      bytes[6] = 0;
      bytes[7] = (byte) random.nextInt(40);
      digests.add(new Digest(HexFormat.of().formatHex(bytes)));
    }
    PackIndex index = new PackIndex();
    Map<Digest, PackIndex.Place> expected = new HashMap<>();
    for (int step = 0; step < 60_000; step++) {
      Digest digest = digests.get(random.nextInt(digests.size()));
      if (random.nextInt(5) < 3) {
        PackIndex.Place place = new PackIndex.Place(step, random.nextInt(4096));
        boolean isNew = expected.putIfAbsent(digest, place) == null;
        assertThat(index.add(digest, place.pack(), place.entry())).isEqualTo(isNew);
      } else {
        assertThat(index.remove(digest)).isEqualTo(expected.remove(digest));
      }
    }
    assertThat(index.size()).isEqualTo(expected.size());
    for (Digest digest : digests) {
      assertThat(index.find(digest)).isEqualTo(expected.get(digest));
    }
  }
}
