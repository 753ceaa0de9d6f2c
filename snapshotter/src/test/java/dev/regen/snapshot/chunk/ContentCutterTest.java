package dev.regen.snapshot.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Where content is cut. */
final class ContentCutterTest {
  private static final int BYTES = 64 << 20;

  private final byte[] content = random(1, BYTES);

  @Test
  void chunksAreAsLongAsTheyMayBe() {
    List<Integer> cuts = cuts(content, BYTES);

    int from = 0;
    for (int cut : cuts) {
      assertThat(cut - from).isBetween(ContentCutter.MIN_BYTES, ContentCutter.MAX_BYTES);
      from = cut;
    }
    assertThat(from / cuts.size()).isBetween(900 << 10, 1400 << 10);
  }

  @Test
  void cutsDoNotDependOnHowTheBytesAreGiven() {
    List<Integer> whole = cuts(content, BYTES);

    assertThat(cuts(content, 256 << 10)).isEqualTo(whole);
    assertThat(cuts(content, 12_345)).isEqualTo(whole);
  }

  @Test
  void cutsReturnAfterAnInsertion() {
    byte[] longer = new byte[BYTES + 100];
    int at = BYTES / 2;
    System.arraycopy(content, 0, longer, 0, at);
    System.arraycopy(content, at, longer, at + 100, BYTES - at);

    Set<Integer> moved = new HashSet<>();
    cuts(longer, BYTES).forEach(cut -> moved.add(cut < at ? cut : cut - 100));

    Set<Integer> lost = new HashSet<>(cuts(content, BYTES));
    lost.removeAll(moved);
    assertThat(lost).hasSizeLessThanOrEqualTo(3);
  }

  @Test
  void zerosAreCutAtTheLimits() {
    assertThat(cuts(new byte[16 << 20], 256 << 10))
        .allMatch(cut -> cut % ContentCutter.MIN_BYTES == 0);
  }

  /** A change here makes every chunk that hosts hold a stranger to those made after it. */
  @Test
  void cutsAreWhereTheyHaveAlwaysBeen() {
    assertThat(cuts(content, BYTES).subList(0, 4))
        .containsExactly(1094399, 2417249, 3488585, 4746427);
    assertThat(Cutting.PLAIN.hash(new byte[] {'a', '/', 'b'})).isEqualTo(8831782500897897773L);
  }

  /** The search takes two bytes a turn; here each byte is looked at by itself. */
  @Test
  void cutsAreWhereTheDefinitionHasThem() {
    long[] gear = Cutting.PLAIN.gear();
    List<Integer> defined = new ArrayList<>();
    long hash = 0;
    int begin = 0;
    for (int i = 0; i < BYTES; i++) {
      int length = i + 1 - begin;
      if (length <= ContentCutter.MIN_BYTES) {
        continue;
      }
      hash = (hash << 1) + gear[content[i] & 0xFF];
      int zeroBits = length <= ContentCutter.AVERAGE_BYTES ? 22 : 18;
      if (Long.numberOfLeadingZeros(hash) >= zeroBits || length == ContentCutter.MAX_BYTES) {
        defined.add(i + 1);
        begin = i + 1;
        hash = 0;
      }
    }

    assertThat(cuts(content, BYTES)).isEqualTo(defined);
    assertThat(cuts(content, 12_345)).isEqualTo(defined);
    assertThat(cutsPassingOver(content, 12_345)).isEqualTo(defined);
  }

  private static List<Integer> cutsPassingOver(byte[] content, int slice) {
    ContentCutter cutter = new ContentCutter(Cutting.PLAIN);
    List<Integer> cuts = new ArrayList<>();
    for (int from = 0; from < content.length; from += slice) {
      int to = Math.min(content.length, from + slice);
      int at = from + cutter.pass(to - from);
      while (at >= 0 && at < to) {
        at = cutter.next(content, at, to);
        if (at >= 0) {
          cuts.add(at);
        }
      }
    }
    return cuts;
  }

  private static List<Integer> cuts(byte[] content, int slice) {
    ContentCutter cutter = new ContentCutter(Cutting.PLAIN);
    List<Integer> cuts = new ArrayList<>();
    for (int from = 0; from < content.length; from += slice) {
      int to = Math.min(content.length, from + slice);
      for (int cut = cutter.next(content, from, to);
          cut >= 0;
          cut = cutter.next(content, cut, to)) {
        cuts.add(cut);
      }
    }
    return cuts;
  }

  private static byte[] random(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }
}
