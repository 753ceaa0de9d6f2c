package dev.regen.snapshot.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Two readers of the same chunks, side by side or one far behind. */
final class ReadOnceTest {
  private static final int CHUNKS = 100;
  private static final int CHUNK_BYTES = 300_000;

  private final AtomicInteger reads = new AtomicInteger();
  private final List<Digest> all = new ArrayList<>();
  private final ReadOnce once =
      new ReadOnce(digest -> {
        reads.incrementAndGet();
        if (digest.equals(all.getFirst())) {
          throw new IOException("the disk");
        }
        byte[] bytes = new byte[CHUNK_BYTES];
        bytes[0] = (byte) all.indexOf(digest);
        return bytes;
      });

  ReadOnceTest() {
    for (int i = 0; i < CHUNKS; i++) {
      all.add(Digest.of(ByteBuffer.wrap(new byte[] {(byte) i})));
    }
  }

  @Test
  void sideBySideEachChunkIsReadOnce() throws Exception {
    for (int from = 1; from < CHUNKS; from += 20) {
      List<Digest> some = all.subList(from, Math.min(CHUNKS, from + 20));
      FutureTask<Integer> one = meanwhile(() -> read(some));
      FutureTask<Integer> other = meanwhile(() -> read(some));
      assertThat(one.get(10, TimeUnit.SECONDS) + other.get(10, TimeUnit.SECONDS))
          .isEqualTo(2 * some.size());
    }
    assertThat(reads.get()).isEqualTo(CHUNKS - 1);
  }

  @Test
  void oneThatIsFarBehindReadsForItselfAndGetsTheRightBytes() throws Exception {
    read(all.subList(1, CHUNKS));
    assertThat(read(all.subList(1, CHUNKS))).isEqualTo(CHUNKS - 1);
    assertThat(reads.get()).isBetween(CHUNKS, 2 * (CHUNKS - 1));
  }

  @Test
  void aChunkThatCannotBeReadFailsForBothAndIsTriedAgain() {
    for (int i = 1; i <= 3; i++) {
      assertThatThrownBy(() -> once.get(all.getFirst())).hasMessage("the disk");
      assertThat(reads.get()).isEqualTo(i);
    }
  }

  private int read(List<Digest> digests) throws IOException {
    int right = 0;
    for (Digest digest : digests) {
      byte[] bytes = once.get(digest);
      right += bytes.length == CHUNK_BYTES && bytes[0] == (byte) all.indexOf(digest) ? 1 : 0;
    }
    return right;
  }

  private static <T> FutureTask<T> meanwhile(Callable<T> work) {
    FutureTask<T> task = new FutureTask<>(work);
    Thread.ofPlatform().daemon().start(task);
    return task;
  }
}
