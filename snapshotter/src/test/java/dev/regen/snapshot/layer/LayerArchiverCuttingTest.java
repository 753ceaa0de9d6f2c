package dev.regen.snapshot.layer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.store.MemoryChunkStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How many chunks a change moves. */
final class LayerArchiverCuttingTest {
  private static final FileTime TIME = FileTime.fromMillis(1_700_000_000_000L);
  private static final long SEED = 42;

  private final MemoryChunkStore store = new MemoryChunkStore();
  private final Random random = new Random(SEED);
  @TempDir private Path directory;
  private Path tree;

  @BeforeEach
  void smallFiles() throws IOException {
    tree = Files.createDirectory(directory.resolve("tree"));
    for (int d = 0; d < 40; d++) {
      Path sub = Files.createDirectory(tree.resolve("d" + d));
      for (int f = 0; f < 40; f++) {
        write(sub.resolve("f" + f), random.nextInt(30_000));
      }
    }
  }

  @Test
  void sameTreeGivesTheSameChunks() throws IOException {
    Archive first = archive();
    Archive second = archive();

    assertThat(second.sameLayer(first)).isTrue();
    assertThat(second.entryIndex()).isEqualTo(first.entryIndex());
    assertThat(second.newBytes()).isZero();
    assertThat(first.newBytes()).isEqualTo(first.storedBytes());
  }

  @Test
  void groupsOfSmallFilesTakeAboutAnEighthOfAMebibyte() throws IOException {
    Archive archive = archive();

    long average = archive.tarBytes() / archive.chunks().size();
    assertThat(average).isBetween(60L << 10, 190L << 10);
  }

  @Test
  void insertedFileMovesOnlyItsNeighbours() throws IOException {
    Archive before = archive();
    write(tree.resolve("d20/between"), 5000);
    Files.setLastModifiedTime(tree.resolve("d20"), TIME);

    Archive after = archive();

    // The group the file falls in, the one with its directory, and what follows up to the next
    // boundary that both have.
    assertThat(before.chunks().size()).isGreaterThan(20);
    assertThat(changed(before, after)).hasSizeLessThanOrEqualTo(4);
  }

  @Test
  void removedDirectoryMovesOnlyItsNeighbours() throws IOException {
    Archive before = archive();
    Tool.bash(tree, "rm -r d15; touch -d @1700000000 .");

    assertThat(changed(before, archive())).hasSizeLessThanOrEqualTo(4);
  }

  @Test
  void bytesInsertedIntoALargeFileMoveOnlyTheirNeighbours() throws IOException {
    byte[] content = new byte[30 << 20];
    random.nextBytes(content);
    Path large = tree.resolve("large");
    Files.write(large, content);
    Archive before = archive();
    byte[] longer = new byte[content.length + 77];
    int at = 15 << 20;
    System.arraycopy(content, 0, longer, 0, at);
    System.arraycopy(content, at, longer, at + 77, content.length - at);
    Files.write(large, longer);

    Archive after = archive();

    // The first, with the header, the one cut into, perhaps the next, and the last, with the
    // padding.
    assertThat(changed(before, after)).hasSizeLessThanOrEqualTo(5);
    assertThat(before.chunks().size()).isGreaterThan(35);
  }

  @Test
  void chunksKeepTheirLimitsAndAddUpToTheStream() throws IOException {
    Files.write(tree.resolve("zeros"), new byte[50 << 20]);
    write(tree.resolve("large"), 20 << 20);

    Archive archive = archive();

    long sum = archive.chunks().stream().mapToLong(Chunk::tarBytes).sum();
    assertThat(sum).isEqualTo(archive.tarBytes());
    assertThat(archive.tarBytes() % 512).isZero();
    assertThat(archive.chunks().getLast().tarBytes()).isEqualTo(1024);
  }

  private static Set<Digest> changed(Archive before, Archive after) {
    Set<Digest> fresh = new HashSet<>(digests(after));
    fresh.removeAll(digests(before));
    return fresh;
  }

  private static Set<Digest> digests(Archive archive) {
    return archive.chunks().stream().map(Chunk::digest).collect(Collectors.toSet());
  }

  private void write(Path file, int length) throws IOException {
    byte[] content = new byte[length];
    random.nextBytes(content);
    Files.write(file, content);
    Files.setLastModifiedTime(file, TIME);
  }

  private Archive archive() throws IOException {
    return new LayerArchiver(store, 2)
        .archive(tree, ArchiveRequest.PLAIN, Progress.NONE, () -> false);
  }
}
