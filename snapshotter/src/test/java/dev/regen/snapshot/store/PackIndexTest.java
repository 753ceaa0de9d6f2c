package dev.regen.snapshot.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.snapshot.Digest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class PackIndexTest {
  /** Digests whose first places collide, past the table's end too: gaps close over others. */
  @Test
  void itAgreesWithAMapUnderAnyAdditionsAndRemovals() {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    List<Digest> digests = new ArrayList<>();
    for (int i = 0; i < 3000; i++) {
      byte[] bytes = new byte[32];
      random.nextBytes(bytes);
      bytes[0] = (byte) (random.nextBoolean() ? 0xff : 0x20);
      bytes[1] = (byte) (0xff - random.nextInt(4));
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
    for (int max : new int[] {1, 7, 500, 3000}) {
      assertThat(paged(index, max))
          .containsExactlyElementsOf(
              expected.keySet().stream().sorted(Comparator.comparing(Digest::hex)).toList());
    }
  }

  private static List<Digest> paged(PackIndex index, int max) {
    List<Digest> all = new ArrayList<>();
    for (List<Digest> page = index.page(null, max);
        !page.isEmpty();
        page = index.page(page.getLast(), max)) {
      assertThat(page).hasSizeLessThanOrEqualTo(max);
      all.addAll(page);
    }
    return all;
  }
}
