package dev.regen.snapshot.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.remote.ChunkName;
import dev.regen.snapshot.remote.DirectoryRemote;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Memory that goes from one reader to the next. */
final class SegmentsUsedAgainTest {
  private static final int BUFFERS = 8;
  private static final int READERS = 6;
  private static final int CHUNKS = 24;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path directory;

  @Test
  void readersAtOnceAreGivenEachItsOwnBlob() throws Exception {
    SegmentBuffers buffers = new SegmentBuffers(BUFFERS);
    List<byte[]> expected = new ArrayList<>();
    List<Future<byte[]>> read = new ArrayList<>();
    try (DirectoryRemote store = new DirectoryRemote(directory, Long.MAX_VALUE);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      BlobReader reader = new BlobReader(store, buffers);
      for (int i = 0; i < READERS; i++) {
        MessageDigest whole = MessageDigest.getInstance("SHA-256");
        List<Chunk> chunks = blob(store, i, whole);
        expected.add(whole.digest());
        read.add(
            threads.submit(() -> {
              MessageDigest given = MessageDigest.getInstance("SHA-256");
              reader.read(StoredBlob.Form.STORED, chunks, given::update);
              return given.digest();
            }));
      }
    }

    for (int i = 0; i < READERS; i++) {
      assertThat(read.get(i).get()).as("reader %d", i).isEqualTo(expected.get(i));
    }
  }

  @Test
  void whatIsIdleGoesWhereOtherMemoryIsUsed() throws Exception {
    SegmentBuffers buffers = new SegmentBuffers(4);
    buffers.take(4);
    List<byte[]> used = List.of(buffers.memory(), buffers.memory(), buffers.memory());
    used.forEach(memory -> memory[0] = 7);
    used.forEach(buffers::reuse);
    buffers.give(3);

    buffers.take(3);
    buffers.useOther();

    assertThat(buffers.memory()[0]).as("the mark of what was idle").isZero();
  }

  private static List<Chunk> blob(DirectoryRemote store, int seed, MessageDigest whole)
      throws Exception {
    Random random = new Random(seed);
    List<Chunk> chunks = new ArrayList<>();
    for (int i = 0; i < CHUNKS; i++) {
      // Whole segments, some that nearly are, and some that are far from it.
      byte[] bytes = new byte[SegmentBuffers.SEGMENT_BYTES - i % 3 * 400_000];
      random.nextBytes(bytes);
      whole.update(bytes);
      Digest digest = Digest.of(ByteBuffer.wrap(bytes));
      store.put(new ChunkName("r", "u", i, digest, bytes.length), ByteBuffer.wrap(bytes));
      chunks.add(new Chunk(digest, bytes.length, bytes.length));
    }
    return chunks;
  }
}
