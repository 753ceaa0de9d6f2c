package dev.regen.snapshot.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.store.ChunkStore;
import dev.regen.snapshot.store.InterruptedStore;
import dev.regen.snapshot.store.MemoryChunkStore;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Trees that are too large, deep, or alive, and stores that fail. */
@Timeout(60)
final class LayerArchiverTroubleTest {
  private final MemoryChunkStore store = new MemoryChunkStore();
  @TempDir private Path directory;
  private Path tree;

  @BeforeEach
  void directories() throws IOException {
    tree = Files.createDirectory(directory.resolve("tree"));
  }

  @Test
  void sparseFileOfATerabyteTakesNoTimeAndNoSpace() throws IOException {
    long size = 1L << 40;
    try (RandomAccessFile file = new RandomAccessFile(tree.resolve("disk").toFile(), "rw")) {
      file.setLength(size);
      file.seek(size / 2 + 12345);
      file.write(1);
    }

    Archive archive = archive(store);

    assertThat(archive.tarBytes()).isGreaterThan(size);
    assertThat(new HashSet<>(archive.chunks())).hasSizeLessThan(12);
    assertThat(archive.newBytes()).isLessThan(1 << 20);
    assertThat(archive.chunks().stream().mapToLong(Chunk::tarBytes).sum())
        .isEqualTo(archive.tarBytes());
    EntryIndex.Hole[] holes = EntryIndexTest.read(store, archive).getLast().holes();
    assertThat(holes).hasSize(2);
    assertThat(holes[0].offset()).isZero();
    assertThat(holes[1].offset() + holes[1].length()).isEqualTo(size);
  }

  @Test
  void cancellingEndsTheWorkSoon() throws IOException {
    Tool.bash(tree, "for i in {1..40}; do head -c 3M /dev/urandom > f$i; done");
    AtomicInteger asked = new AtomicInteger();

    assertThatThrownBy(() ->
            new LayerArchiver(store, 2)
                .archive(
                    tree, ArchiveRequest.PLAIN, Progress.NONE, () -> asked.incrementAndGet() == 3))
        .isInstanceOf(CancellationException.class);
    assertThat(asked).hasValue(3);
  }

  @Test
  void progressEndsWithAllThatTheArchiveHolds() throws IOException {
    Files.write(tree.resolve("f"), new byte[5000]);
    long[] last = new long[2];

    Archive archive =
        new LayerArchiver(store, 2)
            .archive(
                tree,
                ArchiveRequest.PLAIN,
                (entries, tarBytes) -> {
                  last[0] = entries;
                  last[1] = tarBytes;
                },
                () -> false);

    assertThat(last).containsExactly(archive.entries(), archive.tarBytes());
  }

  @Test
  void fullStoreEndsTheWorkWithItsOwnError() throws IOException {
    Tool.bash(tree, "for i in {1..20}; do head -c 3M /dev/urandom > f$i; done");

    ChunkStore full =
        new InterruptedStore(
            store,
            5,
            () -> {
              throw new IOException("no space left");
            });

    assertThatThrownBy(() -> archive(full))
        .isInstanceOf(IOException.class)
        .hasMessage("no space left");
    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(thread -> thread.getName().startsWith("regen-chunk"));
  }

  @Test
  void fileThatGrowsMeanwhileIsRefusedWithItsPath() throws IOException {
    assertRefused("printf more >> z", "/z was written to");
  }

  @Test
  void fileThatShrinksMeanwhileIsRefusedWithItsPath() throws IOException {
    assertRefused("truncate -s 1M z", "/z became shorter");
  }

  @Test
  void fileThatVanishesMeanwhileIsRefusedWithItsPath() throws IOException {
    assertRefused("rm z", "/z has vanished or is something else now");
  }

  @Test
  void fileThatIsRewrittenMeanwhileIsRefusedWithItsPath() throws IOException {
    assertRefused("printf x | dd of=z conv=notrunc status=none", "/z was written to");
  }

  @Test
  void fileThatBecomesALinkMeanwhileIsRefusedWithItsPath() throws IOException {
    assertRefused("ln -sf a z", "/z has vanished or is something else now");
  }

  @Test
  void fileThatBecomesAPipeMeanwhileIsRefusedWithItsPath() throws IOException {
    assertRefused("rm z; mkfifo z", "changed while it was archived: /z");
  }

  @Test
  void nameElsewhereThatComesOrGoesMeanwhileIsNoChange() throws IOException {
    Tool.bash(tree, "head -c 3M /dev/urandom > z; ln z ../elsewhere");

    Archive archive = archiveWhile("touch z2; rm z2; rm ../elsewhere; ln z ../again");

    assertThat(archive.entries()).isEqualTo(3);
  }

  @Test
  void treeDeeperThanTheLimitIsRefused() throws IOException {
    Tool.python(tree, "for i in range(1010): os.mkdir('d'); os.chdir('d')");

    assertThatThrownBy(() -> archive(store))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining("more than 1,000 names")
        .message()
        .endsWith("d/…; exclude it")
        .hasSizeLessThan(160);
    Tool.bash(directory, "rm -r tree");
  }

  @Test
  void groupOverMoreDirectoriesThanMayBeOpenIsRead() throws IOException {
    Tool.python(
        tree, "for i in range(1500): os.mkdir(f'd{i}'); print(i, file=open(f'd{i}/f', 'w'))");

    Archive archive = archive(store);

    assertThat(archive.entries()).isEqualTo(3001);
    store.layer(archive, directory.resolve("layer"));
    assertThat(Tool.bash(directory, "zstd -dc layer | tar xO d777/f")).isEqualTo("777\n");
  }

  /**
   * The change happens when the walk has seen {@code z}, and before it is opened: the large file
   * before it is being read, which is more than the pipeline holds.
   */
  private Archive archiveWhile(String change) throws IOException {
    Tool.bash(tree, "head -c 40M /dev/zero > a");
    ChunkStore changing = new InterruptedStore(store, 3, () -> Tool.bash(tree, change));
    return new LayerArchiver(changing, 1)
        .archive(tree, ArchiveRequest.PLAIN, Progress.NONE, () -> false);
  }

  private void assertRefused(String change, String message) throws IOException {
    Tool.bash(tree, "head -c 3M /dev/urandom > z");

    assertThatThrownBy(() -> archiveWhile(change))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining(message);
  }

  private Archive archive(ChunkStore into) throws IOException {
    return new LayerArchiver(into, 2)
        .archive(tree, ArchiveRequest.PLAIN, Progress.NONE, () -> false);
  }
}
