package dev.regen.snapshot.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.durable.DiskFullException;
import dev.regen.snapshot.Chunk;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What every store of chunks on a disk does. */
abstract class ChunkStoreContract {
  @TempDir Path directory;

  /** The store in a directory, as a process finds it. */
  abstract ChunkStore open(Path chunks);

  /** Changes a bit of a forced chunk; returns the file it is in. */
  abstract Path flipBit(ChunkStore store, Digest digest) throws IOException;

  final Path chunks() {
    return directory.resolve("chunks");
  }

  @Test
  void aChunkIsFoundBeforeAndAfterItIsForced() throws Exception {
    ChunkStore store = open(chunks());
    for (int length : new int[] {1, 400, 50_000, 400_000}) {
      byte[] bytes = bytes(length, length);
      Digest digest = digest(bytes);

      assertThat(store.put(digest, ByteBuffer.wrap(bytes))).isTrue();
      assertThat(store.put(digest, ByteBuffer.wrap(bytes))).isFalse();
      assertHolds(store, bytes);

      store.force();

      assertHolds(store, bytes);
      assertThat(store.put(digest, ByteBuffer.wrap(bytes))).isFalse();
      assertThat(chunks().resolve("tmp")).isEmptyDirectory();
      assertHolds(open(chunks()), bytes);
    }
  }

  @Test
  void aDirectBufferIsReadFromItsPositionToItsLimit() throws Exception {
    ChunkStore store = open(chunks());
    byte[] bytes = bytes(2, 5000);
    ByteBuffer direct = ByteBuffer.allocateDirect(6000).position(100).put(bytes).flip();
    direct.position(100);

    store.put(digest(bytes), direct);

    assertThat(direct.hasRemaining()).isFalse();
    assertThat(store.get(digest(bytes))).isEqualTo(bytes);
  }

  @Test
  void lookingChangesNothing() throws Exception {
    ChunkStore store = open(chunks());

    assertThat(store.missing(Set.of(digest(bytes(3, 1))))).hasSize(1);
    store.list(_ -> {});

    assertThat(chunks()).doesNotExist();
  }

  @Test
  void whatAProcessDidNotForceIsSweptByTheNext() throws Exception {
    ChunkStore store = open(chunks());
    List<Digest> all = new ArrayList<>();
    for (int i = 0; i < 120; i++) {
      byte[] bytes = bytes(i, 60_000);
      all.add(digest(bytes));
      store.put(digest(bytes), ByteBuffer.wrap(bytes));
    }

    ChunkStore next = open(chunks());

    assertThat(next.missing(all)).hasSize(120);
    next.force();
    assertThat(chunks().resolve("tmp")).isEmptyDirectory();
  }

  @Test
  void aDamagedChunkIsNeverReturnedAndCanBeSetAsideAndStoredAgain() throws Exception {
    ChunkStore store = open(chunks());
    byte[] bytes = bytes(4, 5000);
    Digest digest = digest(bytes);
    store.put(digest, ByteBuffer.wrap(bytes));
    store.force();
    Path file = flipBit(store, digest);

    assertThatThrownBy(() -> store.get(digest))
        .isInstanceOf(RegenException.Damaged.class)
        .hasMessageContaining(file.toString());

    assertThat(store.setAside(digest)).isTrue();
    assertThat(store.setAside(digest)).isFalse();
    assertThat(Files.size(chunks().resolve("damaged").resolve(digest.hex()))).isEqualTo(5000);
    assertThat(store.put(digest, ByteBuffer.wrap(bytes))).isTrue();
    store.force();
    assertHolds(open(chunks()), bytes);
  }

  @Test
  void aMissingChunkIsDamage() {
    assertThatThrownBy(() -> open(chunks()).get(digest(bytes(6, 1))))
        .isInstanceOf(RegenException.Damaged.class)
        .hasMessageContaining("missing");
  }

  @Test
  void deletedChunksAreGoneForcedOrNot() throws Exception {
    ChunkStore store = open(chunks());
    byte[] one = bytes(7, 10);
    byte[] other = bytes(8, 10);
    store.put(digest(one), ByteBuffer.wrap(one));
    store.force();
    store.put(digest(other), ByteBuffer.wrap(other));

    store.delete(List.of(digest(one), digest(other)));
    store.delete(List.of(digest(other)));

    assertThat(listed(store)).isEmpty();
    store.force();
    assertThat(store.missing(Set.of(digest(one), digest(other)))).hasSize(2);
    assertThat(listed(store)).isEmpty();
  }

  @Test
  void writersOfTheSameChunksAtOnceWriteEachOnce() throws Exception {
    ChunkStore store = open(chunks());
    AtomicInteger written = new AtomicInteger();
    List<Future<?>> writers = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      for (int writer = 0; writer < 4; writer++) {
        writers.add(threads.submit(() -> putThreeHundred(store, written)));
      }
      for (Future<?> writer : writers) {
        writer.get();
      }
    }
    store.force();
    assertThat(written).hasValue(300);
    assertThat(listed(open(chunks()))).doesNotHaveDuplicates().hasSize(300);
  }

  private Void putThreeHundred(ChunkStore store, AtomicInteger written) throws IOException {
    for (int i = 0; i < 300; i++) {
      byte[] bytes = bytes(100 + i, 40_000);
      if (store.put(digest(bytes), ByteBuffer.wrap(bytes))) {
        written.incrementAndGet();
      }
      assertThat(store.get(digest(bytes))).isEqualTo(bytes);
      if (i % 60 == 0) {
        store.force();
        assertThat(open(chunks()).get(digest(bytes))).isEqualTo(bytes);
      }
    }
    return null;
  }

  @Test
  void aFullDiskFailsThePutOrTheForceAndLeavesNoRest() throws Exception {
    try (SmallDisk disk = new SmallDisk(directory.resolve("small"))) {
      ChunkStore small = open(disk.path.resolve("chunks"));
      byte[] fits = bytes(9, 100_000);
      small.put(digest(fits), ByteBuffer.wrap(fits));
      small.force();
      List<Digest> tooMany = new ArrayList<>();

      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 12; i++) {
                  byte[] bytes = bytes(50 + i, i % 2 == 0 ? 80_000 : 300_000);
                  tooMany.add(digest(bytes));
                  small.put(digest(bytes), ByteBuffer.wrap(bytes));
                }
                small.force();
              })
          .isInstanceOf(DiskFullException.class);

      assertThat(small.missing(tooMany)).isNotEmpty();
      small.delete(tooMany);
      small.force();
      assertHolds(small, fits);
      assertHolds(open(disk.path.resolve("chunks")), fits);
      assertThat(listed(small)).containsExactly(digest(fits));
      assertThat(disk.path.resolve("chunks/tmp")).isEmptyDirectory();
    }
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

  static void assertHolds(ChunkStore store, byte[] bytes) throws IOException {
    assertThat(store.get(digest(bytes))).isEqualTo(bytes);
    assertThat(store.missing(Set.of(digest(bytes)))).isEmpty();
    assertThat(store.holds(new Chunk(digest(bytes), bytes.length, 1))).isTrue();
  }

  static List<Digest> listed(ChunkStore store) throws IOException {
    List<Digest> all = new ArrayList<>();
    store.list(all::add);
    return all;
  }

  static byte[] bytes(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  static Digest digest(byte[] bytes) {
    return Digest.of(ByteBuffer.wrap(bytes));
  }
}
