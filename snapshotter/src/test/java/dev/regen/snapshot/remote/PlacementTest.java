package dev.regen.snapshot.remote;

import static dev.regen.snapshot.remote.RemoteStoreContract.bytes;
import static dev.regen.snapshot.remote.RemoteStoreContract.digest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.snapshot.Digest;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Where chunks lie, counted over many chunks with random digests. */
final class PlacementTest {
  private static final int CHUNKS = 20_000;

  private final long seed = System.nanoTime();
  private final List<Digest> chunks = new ArrayList<>();

  PlacementTest() {
    Random random = new Random(seed);
    for (int i = 0; i < CHUNKS; i++) {
      chunks.add(digest(bytes(random.nextLong(), 16)));
    }
  }

  @Test
  void aServerThatIsAddedTakesItsShareAndMovesNothingElse() {
    Placement four = new Placement(servers(4), 1);
    Placement five = new Placement(servers(5), 1);
    int moved = 0;
    for (Digest chunk : chunks) {
      int before = four.copies(chunk).getFirst();
      int after = five.copies(chunk).getFirst();
      if (after != before) {
        assertThat(after).as("seed %d", seed).isEqualTo(4);
        moved++;
      }
    }
    assertShare(moved, 1.0 / 5);
  }

  @Test
  void withSeveralCopiesAnAddedServerMovesAtMostOneOfThem() {
    Placement four = new Placement(servers(4), 2);
    Placement five = new Placement(servers(5), 2);
    int moved = 0;
    for (Digest chunk : chunks) {
      Set<Integer> gone = new HashSet<>(four.copies(chunk));
      five.copies(chunk).forEach(gone::remove);
      assertThat(gone).as("seed %d", seed).hasSizeLessThanOrEqualTo(1);
      moved += gone.size();
    }
    // Of two among five, one is the new server.
    assertShare(moved, 2.0 / 5);
  }

  @Test
  void sharesFollowTheWeights() {
    Placement placement =
        new Placement(
            List.of(
                new Placement.Server("a", 1, "a"),
                new Placement.Server("b", 3, "b"),
                new Placement.Server("c", 6, "c")),
            1);
    int[] held = new int[3];
    chunks.forEach(chunk -> held[placement.copies(chunk).getFirst()]++);
    assertShare(held[0], 0.1);
    assertShare(held[1], 0.3);
    assertShare(held[2], 0.6);
  }

  @Test
  void whatALostServerHeldFallsToAllOthersAlike() {
    Placement placement = new Placement(servers(5), 1);
    int[] next = new int[5];
    int lost = 0;
    for (Digest chunk : chunks) {
      List<Integer> order = placement.order(chunk);
      assertThat(order).containsExactlyInAnyOrder(0, 1, 2, 3, 4);
      if (order.getFirst() == 2) {
        next[order.get(1)]++;
        lost++;
      }
    }
    for (int i = 0; i < 5; i++) {
      assertShare(next[i], lost, i == 2 ? 0 : 0.25);
    }
  }

  @Test
  void copiesLieInDifferentDomains() {
    List<Placement.Server> servers =
        List.of(
            new Placement.Server("a1", 100, "a"),
            new Placement.Server("a2", 100, "a"),
            new Placement.Server("b1", 1, "b"),
            new Placement.Server("c1", 1, "c"));
    Placement placement = new Placement(servers, 3);
    for (Digest chunk : chunks) {
      assertThat(placement.copies(chunk).stream().map(i -> servers.get(i).domain()))
          .containsExactlyInAnyOrder("a", "b", "c");
    }
    assertThatThrownBy(() -> new Placement(servers, 4)).hasMessageContaining("3");
  }

  /** Another order would hide from new versions what old ones have placed. */
  @Test
  void theOrderIsTheSameInEveryVersion() {
    Placement placement = new Placement(servers(6), 2);
    StringBuilder orders = new StringBuilder();
    for (int i = 0; i < 8; i++) {
      orders.append(placement.order(digest(bytes(i, 16)))).append('\n');
    }
    assertThat(orders)
        .hasToString(
            """
            [4, 1, 5, 3, 0, 2]
            [4, 3, 5, 2, 0, 1]
            [4, 2, 1, 5, 3, 0]
            [1, 5, 2, 4, 0, 3]
            [0, 3, 1, 4, 2, 5]
            [3, 2, 4, 5, 0, 1]
            [0, 4, 1, 5, 2, 3]
            [3, 0, 1, 4, 2, 5]
            """);
  }

  @Test
  void theListedOrderOfServersDoesNotMatter() {
    List<Placement.Server> one = servers(4);
    Placement placement = new Placement(one, 2);
    Placement reversed = new Placement(one.reversed(), 2);
    for (Digest chunk : chunks.subList(0, 100)) {
      assertThat(placement.order(chunk).stream().map(i -> placement.servers().get(i)))
          .containsExactlyElementsOf(
              reversed.order(chunk).stream().map(i -> reversed.servers().get(i)).toList());
    }
  }

  private void assertShare(int count, double share) {
    assertShare(count, CHUNKS, share);
  }

  /** Five standard deviations of a binomial distribution: by chance once in 1.7 million. */
  private void assertShare(int count, int of, double share) {
    double expected = of * share;
    double deviation = Math.sqrt(of * share * (1 - share));
    assertThat((double) count)
        .as("of %d chunks, seed %d", of, seed)
        .isBetween(expected - 5 * deviation, expected + 5 * deviation);
  }

  private static List<Placement.Server> servers(int count) {
    List<Placement.Server> servers = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      servers.add(new Placement.Server("http://h" + i + ":7070", 1, "h" + i));
    }
    return servers;
  }
}
