package dev.regen.agent.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.agent.tcp.StatusException;
import dev.regen.runtime.durable.Disk;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Hazard: memory that is used again shows bytes of the chunk before, or two chunks at once are in
 * the same.
 */
final class ChunkMemoryTest {
  private static final int LONGEST = 3_000_000;

  private final ChunkMemory memory = new ChunkMemory();
  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);

  @Test
  void eachChunkIsItsOwnHoweverManyAreThereAtOnce() throws Exception {
    System.out.printf("seed %d%n", seed);
    List<ChunkMemory.Arrived> there = new ArrayList<>();
    List<byte[]> sent = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      byte[] chunk = bytes(random.nextInt(LONGEST));
      ChunkMemory.Arrived arrived = memory.read(new ByteArrayInputStream(chunk), chunk.length);
      if (chunk.length >= 256 << 10) {
        assertThat(arrived.bytes().isDirect()).isTrue();
        assertThat(arrived.bytes().alignmentOffset(0, Disk.ALIGNED_BYTES)).isZero();
      }
      there.add(arrived);
      sent.add(chunk);
      while (there.size() > random.nextInt(24)) {
        int one = random.nextInt(there.size());
        assertThat(there.get(one).bytes()).isEqualTo(ByteBuffer.wrap(sent.remove(one)));
        there.remove(one).close();
      }
    }
  }

  @Test
  void aBodyThatBreaksOffLeavesNothingInUse() throws Exception {
    for (int i = 0; i < 100; i++) {
      InputStream breaking =
          new SequenceInputStream(new ByteArrayInputStream(bytes(100_000)), new TooSlow());
      assertThatThrownBy(() -> memory.read(breaking, LONGEST)).isInstanceOf(StatusException.class);
    }
    byte[] shorter = bytes(10);
    try (ChunkMemory.Arrived arrived = memory.read(new ByteArrayInputStream(shorter), LONGEST)) {
      assertThat(arrived.bytes()).isEqualTo(ByteBuffer.wrap(shorter));
    }
  }

  private static final class TooSlow extends InputStream {
    @Override
    public int read() throws IOException {
      throw new StatusException(408, "the body comes too slowly");
    }

    @Override
    public int read(byte[] bytes, int from, int count) throws IOException {
      return read();
    }
  }

  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }
}
