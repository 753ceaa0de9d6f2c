package dev.regen.snapshot.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.durable.DiskFullException;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DirectoryChunkStoreTest {
  @TempDir Path directory;
  private Path chunks;
  private DirectoryChunkStore store;

  @BeforeEach
  void openStore() throws Exception {
    chunks = directory.resolve("chunks");
    store = new DirectoryChunkStore(chunks);
  }

  @Test
  void aChunkIsFoundBeforeAndAfterItIsForced() throws Exception {
    byte[] bytes = bytes(1, 400_000);
    Digest digest = digest(bytes);

    assertThat(store.put(digest, ByteBuffer.wrap(bytes))).isTrue();
    assertThat(store.put(digest, ByteBuffer.wrap(bytes))).isFalse();
    assertThat(store.missing(List.of(digest))).isEmpty();
    assertThat(store.get(digest)).isEqualTo(bytes);
    assertThat(store.file(digest)).doesNotExist();

    store.force();

    assertThat(store.file(digest)).hasBinaryContent(bytes);
    assertThat(store.put(digest, ByteBuffer.wrap(bytes))).isFalse();
    assertThat(chunks.resolve("tmp")).isEmptyDirectory();
    assertThat(new DirectoryChunkStore(chunks).get(digest)).isEqualTo(bytes);
  }

  @Test
  void aDirectBufferIsReadFromItsPositionToItsLimit() throws Exception {
    byte[] bytes = bytes(2, 5000);
    ByteBuffer direct = ByteBuffer.allocateDirect(6000).position(100).put(bytes).flip();
    direct.position(100);

    store.put(digest(bytes), direct);

    assertThat(direct.hasRemaining()).isFalse();
    assertThat(store.get(digest(bytes))).isEqualTo(bytes);
  }

  @Test
  void whatAProcessDidNotForceIsSweptByTheNext() throws Exception {
    byte[] bytes = bytes(3, 10);
    store.put(digest(bytes), ByteBuffer.wrap(bytes));

    DirectoryChunkStore next = new DirectoryChunkStore(chunks);

    assertThat(next.missing(List.of(digest(bytes)))).containsExactly(digest(bytes));
    next.force();
    assertThat(chunks.resolve("tmp")).isEmptyDirectory();
  }

  @Test
  void aDamagedChunkIsNeverReturned() throws Exception {
    byte[] bytes = bytes(4, 1000);
    Digest digest = digest(bytes);
    store.put(digest, ByteBuffer.wrap(bytes));
    store.force();
    byte[] bad = bytes.clone();
    bad[500] ^= 1;
    Files.write(store.file(digest), bad);

    assertThatThrownBy(() -> store.get(digest))
        .isInstanceOf(RegenException.Damaged.class)
        .hasMessageContaining(store.file(digest).toString());
  }

  @Test
  void aTruncatedChunkIsReplacedByTheNextPut() throws Exception {
    byte[] bytes = bytes(5, 1000);
    Digest digest = digest(bytes);
    store.put(digest, ByteBuffer.wrap(bytes));
    store.force();
    Files.write(store.file(digest), new byte[10]);

    assertThat(store.put(digest, ByteBuffer.wrap(bytes))).isTrue();
    store.force();

    assertThat(store.get(digest)).isEqualTo(bytes);
  }

  @Test
  void aMissingChunkIsDamage() {
    assertThatThrownBy(() -> store.get(digest(bytes(6, 1))))
        .isInstanceOf(RegenException.Damaged.class)
        .hasMessageContaining("missing");
  }

  @Test
  void deletedChunksAreGoneForcedOrNot() throws Exception {
    byte[] one = bytes(7, 10);
    byte[] other = bytes(8, 10);
    store.put(digest(one), ByteBuffer.wrap(one));
    store.force();
    store.put(digest(other), ByteBuffer.wrap(other));

    store.delete(List.of(digest(one), digest(other)));
    store.delete(List.of(digest(other)));

    List<Digest> left = new ArrayList<>();
    store.list(left::add);
    assertThat(left).isEmpty();
    store.force();
    assertThat(store.missing(Set.of(digest(one), digest(other)))).hasSize(2);
  }

  @Test
  void writersOfTheSameChunksAtOnceWriteEachOnce() throws Exception {
    AtomicInteger written = new AtomicInteger();
    List<Future<?>> writers = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      for (int writer = 0; writer < 4; writer++) {
        writers.add(threads.submit(() -> putTwoHundred(written)));
      }
      for (Future<?> writer : writers) {
        writer.get();
      }
    }
    assertThat(written).hasValue(200);
    List<Digest> all = new ArrayList<>();
    store.list(all::add);
    assertThat(all).doesNotHaveDuplicates().hasSize(200);
  }

  @Test
  void aFullDiskFailsThePutAndLeavesNoRest() throws Exception {
    try (SmallDisk disk = new SmallDisk(directory.resolve("small"))) {
      DirectoryChunkStore small = new DirectoryChunkStore(disk.path.resolve("chunks"));
      byte[] fits = bytes(9, 300_000);
      byte[] tooLong = bytes(10, 2_000_000);
      small.put(digest(fits), ByteBuffer.wrap(fits));

      assertThatThrownBy(() -> small.put(digest(tooLong), ByteBuffer.wrap(tooLong)))
          .isInstanceOf(DiskFullException.class);

      assertThat(small.missing(List.of(digest(tooLong)))).hasSize(1);
      small.force();
      assertThat(small.get(digest(fits))).isEqualTo(fits);
      assertThat(disk.path.resolve("chunks/tmp")).isEmptyDirectory();
    }
  }

  private Void putTwoHundred(AtomicInteger written) throws IOException {
    for (int i = 0; i < 200; i++) {
      byte[] bytes = bytes(100 + i, 2000);
      if (store.put(digest(bytes), ByteBuffer.wrap(bytes))) {
        written.incrementAndGet();
      }
      assertThat(store.get(digest(bytes))).isEqualTo(bytes);
      if (i % 20 == 0) {
        store.force();
      }
    }
    return null;
  }

  /** A file system of one mebibyte. */
  private static final class SmallDisk implements AutoCloseable {
    private final Path path;

    SmallDisk(Path path) throws IOException {
      this.path = Files.createDirectory(path);
      assumeTrue(
          run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path.toString()),
          "mounting a tmpfs needs root");
    }

    @Override
    public void close() throws IOException {
      run("umount", path.toString());
    }

    private static boolean run(String... command) throws IOException {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      return process.onExit().orTimeout(10, TimeUnit.SECONDS).join().exitValue() == 0;
    }
  }

  private static byte[] bytes(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static Digest digest(byte[] bytes) {
    return Digest.of(ByteBuffer.wrap(bytes));
  }
}
