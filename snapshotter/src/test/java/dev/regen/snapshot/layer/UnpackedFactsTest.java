package dev.regen.snapshot.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.oci.FrozenLayer.Kind;
import dev.regen.runtime.os.Fd;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.facts.GroupFact;
import dev.regen.snapshot.store.InterruptedStore;
import dev.regen.snapshot.store.MemoryChunkStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A run goes on in a tree that was unpacked, and its next capture reads what changed since. */
final class UnpackedFactsTest {
  private static final long SETTLED_MILLIS = 25;

  @TempDir Path directory;
  private final InterruptedStore store = new InterruptedStore(new MemoryChunkStore(), 0, () -> {});
  private Path tree;
  private Archive archive;

  @BeforeEach
  void unpack() throws Exception {
    assumeTrue(Tool.isRoot(), "gives files to others");
    Random random = new Random(7);
    Path written = Files.createDirectory(directory.resolve("written"));
    for (int d = 0; d < 30; d++) {
      Path sub = Files.createDirectories(written.resolve("d" + d + "/sub"));
      for (int f = 0; f < 20; f++) {
        byte[] bytes = new byte[random.nextInt(30_000)];
        random.nextBytes(bytes);
        Files.write(sub.resolve("f" + f), bytes);
      }
    }
    Tool.bash(
        written,
        "head -c 5000000 /dev/urandom > large; ln d3/sub/f1 d17/linked; ln -s d3 symbolic;"
            + "mkfifo d4/pipe; mknod d6/gone c 0 0; chown 1000:1001 d7/sub/f*;"
            + "setfattr -n user.note -v hello d8/sub d8/sub/f1; truncate -s 3000000 d9/holes");
    archive = archived(written, nothing());
    tree = directory.resolve("tree");
    new LayerRestorer(new ChunkReader(store), 2)
        .restore(archive, tree, List.of(), List.of(), Progress.NONE);
  }

  @Test
  void aTreeThatNobodyChangedIsNotRead() throws Exception {
    KnownGroups known = known(unpackedAt());
    int puts = store.puts();

    Archive again = archived(tree, known);

    assertThat(again.sameLayer(archive)).isTrue();
    // The end of the stream and the index.
    assertThat(store.puts() - puts).isLessThanOrEqualTo(2 + again.entryIndex().size());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "printf X | dd of=d5/sub/f3 conv=notrunc status=none; touch -r d5/sub/f4 d5/sub/f3",
        "T=$(stat -c %y d5/sub/f3); head -c 1 /dev/urandom | dd of=d5/sub/f3 conv=notrunc"
            + " status=none; touch -d \"$T\" d5/sub/f3",
        "chmod 600 d5/sub/f3",
        "chown 1000 d5/sub/f3",
        "setfattr -n user.note -v hello d5/sub/f3",
        "cp -p d5/sub/f4 x; mv x d5/sub/f3",
        "mv d5/sub/f3 x; mv d5/sub/f4 d5/sub/f3; mv x d5/sub/f4",
        "mv d5 x; mv d6 d5; mv x d6",
        "rm d5/sub/f3; ln -s elsewhere d5/sub/f3",
        "rm d5/sub/f3; mknod d5/sub/f3 c 0 0",
        "rm -r d5; echo > d5",
        "echo > a-name-before-it",
        "printf X | dd of=large bs=1 seek=3000000 conv=notrunc status=none",
        "printf X | dd of=d9/holes bs=1 seek=2000000 conv=notrunc status=none",
      })
  void whatARunChangesBeforeOrAfterItsTreeIsLookedAtIsRead(String change) throws Exception {
    Instant unpackedAt = unpackedAt();
    Tool.bash(tree, change);
    Thread.sleep(SETTLED_MILLIS);
    KnownGroups known = known(unpackedAt);

    assertIsWhole(archived(tree, known));

    Tool.bash(tree, "echo more >> d20/sub/f1; " + change + " || :");
    assertIsWhole(archived(tree, known));
  }

  private void assertIsWhole(Archive made) throws Exception {
    Archive whole = archived(tree, nothing());
    assertThat(made.chunks()).isEqualTo(whole.chunks());
    assertThat(made.entryIndex()).isEqualTo(whole.entryIndex());
    assertThat(made.entries()).isEqualTo(whole.entries());
  }

  private static Instant unpackedAt() throws InterruptedException {
    Thread.sleep(SETTLED_MILLIS);
    return InstantSource.system().instant().minusMillis(SETTLED_MILLIS / 2);
  }

  private KnownGroups known(Instant unpackedAt) throws Exception {
    try (Fd root = Fd.directory(tree)) {
      List<GroupFact> facts =
          UnpackedFacts.of(
              root,
              archive,
              new ChunkReader(store),
              ArchiveRequest.PLAIN,
              unpackedAt,
              InstantSource.system(),
              () -> false);
      KnownGroups known = nothing();
      known.add(() -> archive, facts);
      return known;
    }
  }

  private KnownGroups nothing() {
    return new KnownGroups(store, new ChunkReader(store));
  }

  private Archive archived(Path of, KnownGroups known) throws IOException, InterruptedException {
    Thread.sleep(SETTLED_MILLIS);
    return new LayerArchiver(store, 2)
        .archive(
            new FrozenTree(of, Kind.EXCHANGED, null),
            ArchiveRequest.PLAIN,
            known,
            Progress.NONE,
            () -> false)
        .archive();
  }
}
