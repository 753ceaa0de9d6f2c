package dev.regen.snapshot.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.store.MemoryChunkStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several threads make one tree: no order of theirs may show in it. */
final class LayerRestoreParallelTest {
  private static final String FACTS =
      """
      export LC_ALL=C
      find . ! -type c -printf '%p|%y|%m|%U|%G|%s|%T@|%n|%l\\n' | sed 's/\\(|d|[^|]*|[^|]*|[^|]*|\\)[^|]*/\\1/' | sort
      find . -type b -o -type c | sort | while read -r f; do stat -c '%n %t:%T' "$f"; done
      find . ! -type c -print0 | sort -z | xargs -0 getfattr -h -d -m - -e hex 2>&1
      find . -type f -links +1 -printf '%i %p\\n' | sort -n | awk '{ if ($1 != last) print "--"; last = $1; print $2 }' \
        | sort
      find . -type f -print0 | sort -z | xargs -0 sha256sum
      """;

  private final MemoryChunkStore store = new MemoryChunkStore();
  @TempDir private Path directory;
  private Path tree = Path.of("");

  @BeforeEach
  void makeTree() throws IOException {
    assumeTrue(Tool.isRoot(), "owners, devices and attributes take root");
    tree = Files.createDirectory(directory.resolve("tree"));
  }

  @Test
  void threadsMakeTheSameTreeAsOneDoes() throws IOException {
    for (long seed = 1; seed <= 2; seed++) {
      System.out.println("tree of seed " + seed);
      Path seeded = Files.createDirectory(tree.resolve("seed-" + seed));
      Path script = directory.resolve("make-" + seed);
      Files.writeString(script, RandomTree.script(seed));
      Tool.bash(seeded, "bash -eu " + script);
      Archive archive = archive(seeded);
      String expected = Tool.bash(seeded, FACTS);

      for (int threads : new int[] {1, 2, 7}) {
        Path target = directory.resolve("target-" + seed + "-" + threads);
        new LayerRestorer(new ChunkReader(store), threads)
            .restore(archive, target, List.of(), List.of(), Progress.NONE);

        assertThat(Tool.bash(target, FACTS))
            .as("seed %d, %d threads", seed, threads)
            .isEqualTo(expected);
        assertThat(archive(target).sameLayer(archive)).isTrue();
      }
    }
  }

  @Test
  void aDamagedChunkInTheMiddleIsNamedWithThePathInItAndNothingIsLeft() throws IOException {
    Tool.bash(tree, "mkdir a m z; for d in a m z; do echo > $d/small; done");
    byte[] big = new byte[12_000_000]; // More than one chunk, however it is cut.
    for (String directory : List.of("a", "m", "z")) {
      new Random(directory.charAt(0)).nextBytes(big); // No chunk is in two of them.
      Files.write(tree.resolve(directory).resolve("big"), big);
    }
    Archive archive = archive(tree);
    Chunk damaged = chunkOf(archive, "m/big");
    store.delete(List.of(damaged.digest()));
    Path target = directory.resolve("target");

    assertThatThrownBy(() ->
            new LayerRestorer(new ChunkReader(store), 2)
                .restore(archive, target, List.of(), List.of(), Progress.NONE))
        .isInstanceOf(RegenException.Damaged.class)
        .hasMessageContaining(damaged.digest().toString())
        .hasMessageContaining("m/big");
    assertThat(target).doesNotExist();
  }

  @Test
  void anIndexOfAnotherArchiveIsFoundAndNothingIsLeft() throws IOException {
    Tool.bash(tree, "mkdir d; echo one > d/a; echo two > d/b");
    Archive archive = archive(tree);
    Tool.bash(tree, "mv d/b d/c");
    Archive other = archive(tree);
    Archive mixed =
        new Archive(
            archive.chunks(),
            other.entryIndex(),
            archive.entries(),
            archive.tarBytes(),
            archive.storedBytes(),
            0,
            List.of(),
            0);
    Path target = directory.resolve("target");

    assertThatThrownBy(() ->
            new LayerRestorer(new ChunkReader(store), 2)
                .restore(mixed, target, List.of(), List.of(), Progress.NONE))
        .isInstanceOf(RegenException.Damaged.class)
        .hasMessageContaining("d/c");
    assertThat(target).doesNotExist();
  }

  @Test
  void aCancelledRestoreEndsSoonAndLeavesNothing() throws IOException {
    Tool.bash(tree, "for i in $(seq 20); do head -c 8000000 /dev/zero | tr '\\0' $i > f$i; done");
    Archive archive = archive(tree);
    Path target = directory.resolve("target");
    AtomicLong asked = new AtomicLong();

    assertThatThrownBy(() ->
            new LayerRestorer(new ChunkReader(store), 2)
                .restore(
                    archive,
                    target,
                    List.of(),
                    List.of(),
                    Progress.NONE,
                    () -> {
                      asked.compareAndSet(0, System.nanoTime());
                      return true;
                    }))
        .isInstanceOf(CancellationException.class);
    assertThat(System.nanoTime() - asked.get()).isLessThan(TimeUnit.SECONDS.toNanos(5));
    assertThat(target).doesNotExist();
  }

  private Archive archive(Path of) throws IOException {
    return new LayerArchiver(store, 2)
        .archive(of, ArchiveRequest.PLAIN, Progress.NONE, () -> false);
  }

  /** The second chunk of what the index says of this path. */
  private Chunk chunkOf(Archive archive, String path) throws IOException {
    EntryIndex index = EntryIndex.open(new ChunkReader(store), archive);
    EntryIndex.Entry entry = index.next();
    while (entry != null
        && !path.equals(new String(entry.path(), java.nio.charset.StandardCharsets.UTF_8))) {
      entry = index.next();
    }
    assertThat(entry).isNotNull();
    long offset = 0;
    for (Chunk chunk : archive.chunks()) {
      if (entry != null && offset > entry.tarOffset()) {
        return chunk;
      }
      offset += chunk.tarBytes();
    }
    throw new AssertionError("no second chunk");
  }
}
