package dev.regen.snapshot.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.oci.FrozenLayer.Kind;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.chunk.Sealing;
import dev.regen.snapshot.facts.GroupFact;
import dev.regen.snapshot.store.InterruptedStore;
import dev.regen.snapshot.store.MemoryChunkStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Archives made with what is known from those before, against archives made without. */
final class IncrementalArchiveTest {
  private static final int ROUNDS = 12;
  private static final long SETTLED_MILLIS = 40;

  private final MemoryChunkStore memory = new MemoryChunkStore();
  private final InterruptedStore store = new InterruptedStore(memory, 0, () -> {});
  @TempDir private Path directory;
  private Path tree;

  @BeforeEach
  void treeOfManyGroups() throws IOException {
    tree = Files.createDirectory(directory.resolve("tree"));
    Random random = new Random(7);
    for (int d = 0; d < 30; d++) {
      Path sub = Files.createDirectories(tree.resolve("d" + d + "/sub"));
      for (int f = 0; f < 20; f++) {
        write(sub.resolve("f" + f), random.nextInt(30_000), random);
      }
    }
    write(tree.resolve("large"), 6 << 20, random);
    Tool.bash(tree, "ln d3/sub/f1 d17/linked; ln -s d3 symbolic; mkfifo d4/pipe");
  }

  @Test
  void unchangedTreeIsNotRead() throws IOException {
    Archived first = settled(known());
    int puts = store.puts();

    Archived second = settled(known(first));

    assertThat(second.archive().chunks()).isEqualTo(first.archive().chunks());
    assertThat(second.archive().entryIndex()).isEqualTo(first.archive().entryIndex());
    assertThat(second.archive().entries()).isEqualTo(first.archive().entries());
    assertThat(second.archive().newBytes()).isZero();
    assertThat(second.facts()).isEqualTo(first.facts());
    // The end of the stream and the index.
    assertThat(store.puts() - puts).isEqualTo(1 + second.archive().entryIndex().size());
  }

  @Test
  void editsGiveTheSameArchiveAsACaptureThatKnowsNothing() throws IOException {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    List<Archived> before = new ArrayList<>(List.of(settled(known())));
    for (int round = 0; round < ROUNDS; round++) {
      List<String> edits = new ArrayList<>();
      for (int count = random.nextInt(6); count >= 0; count--) {
        edits.add("{ " + edit(random) + "; } || :");
      }
      Tool.bash(tree, String.join("\n", edits));

      Archived made = settled(known(before.toArray(Archived[]::new)));

      Archive whole = settled(known()).archive();
      assertThat(made.archive().chunks()).as("seed %d: %s", seed, edits).isEqualTo(whole.chunks());
      assertThat(made.archive().entryIndex()).isEqualTo(whole.entryIndex());
      assertThat(made.archive().entries()).isEqualTo(whole.entries());
      assertThat(made.archive().tarBytes()).isEqualTo(whole.tarBytes());
      assertThat(made.archive().storedBytes()).isEqualTo(whole.storedBytes());
      before.addFirst(made);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "printf X | dd of=d5/sub/f3 conv=notrunc status=none; touch -r d5/sub/f4 d5/sub/f3",
        "T=$(stat -c %y d5/sub/f3); head -c 1 /dev/urandom | dd of=d5/sub/f3 conv=notrunc"
            + " status=none; touch -d \"$T\" d5/sub/f3",
        "truncate -s +1 d5/sub/f3",
        "chmod 600 d5/sub/f3",
        "chown 1000 d5/sub/f3",
        "chgrp 1000 d5/sub/f3",
        "ln d5/sub/f3 d5/sub/again",
        "ln d5/sub/f3 a-name-before-it",
        "rm d17/linked",
        "setfattr -n user.note -v hello d5/sub/f3",
        "setfattr -n user.note -v hello d5/sub",
        "setfattr -n user.note -v hello .",
        "chmod 711 .",
        "touch -d 2001-02-03 .",
        "setfattr -n trusted.overlay.opaque -v y d5/sub",
        "mv d5/sub/f3 d5/sub/f33",
        "cp -p d5/sub/f3 x; mv x d5/sub/f3; touch -d 2001-02-03 d5/sub",
        "mv d5/sub/f3 x; mv d5/sub/f4 d5/sub/f3; mv x d5/sub/f4",
        "mv d5 x; mv d6 d5; mv x d6",
        "rm d5/sub/f3; ln -s elsewhere d5/sub/f3",
        "rm d5/sub/f3; mknod d5/sub/f3 c 0 0",
        "rm d4/pipe; mknod d4/pipe c 1 3",
        "ln -sfn d5 symbolic",
        "printf X | dd of=large bs=1 seek=3000000 conv=notrunc status=none",
      })
  void changeIsSeen(String change) throws IOException {
    assumeTrue(Tool.isRoot(), "gives files to others");
    Archived first = settled(known());
    Tool.bash(tree, change);

    Archived second = settled(known(first));

    Archive whole = settled(known()).archive();
    assertThat(second.archive().chunks()).isEqualTo(whole.chunks());
    assertThat(second.archive().entryIndex()).isEqualTo(whole.entryIndex());
    assertThat(second.archive().chunks()).isNotEqualTo(first.archive().chunks());
  }

  @Test
  void largeFileThatChangedAddsOnlyWhatIsDifferent() throws IOException {
    Archived first = settled(known());
    Tool.bash(tree, "printf X | dd of=large bs=1 seek=3000000 conv=notrunc status=none");

    Archived second = settled(known(first));

    assertThat(second.archive().newBytes()).isBetween(1L, 5L << 20);
  }

  @Test
  void treeThatWasMovedIsTheSame() throws IOException {
    Archived first = settled(known());
    Tool.bash(directory, "mv tree elsewhere");
    tree = directory.resolve("elsewhere");
    int puts = store.puts();

    assertThat(settled(known(first)).archive().sameLayer(first.archive())).isTrue();
    assertThat(store.puts() - puts).isEqualTo(1 + first.archive().entryIndex().size());
  }

  @Test
  void filesWrittenInTheTickOfTheirCaptureAreReadAgain() throws IOException {
    settled(known());
    Path file = tree.resolve("d5/sub/f3");
    Files.setLastModifiedTime(file, FileTime.from(Instant.EPOCH));
    Instant written = ((FileTime) Files.getAttribute(file, "unix:ctime")).toInstant();

    List<GroupFact> inTime = archive(known(), written.plusMillis(25)).facts();
    List<GroupFact> racy = archive(known(), written.plusMillis(15)).facts();
    List<GroupFact> backInTime = archive(known(), written.minusSeconds(3600)).facts();

    assertThat(racy).hasSize(inTime.size() - 1);
    // The tree's root may be alone in its group, and moves with every rename.
    assertThat(backInTime).hasSizeLessThanOrEqualTo(1);
  }

  @Test
  void chunkThatIsGoneIsMadeAgain() throws IOException {
    Archived first = settled(known());
    memory.delete(List.of(first.archive().chunks().get(3).digest()));
    memory.delete(List.of(first.archive().entryIndex().getLast().digest()));

    Archived second = settled(known(first));

    assertThat(second.archive().chunks()).isEqualTo(first.archive().chunks());
    assertThat(memory.missing(second.archive().chunks().stream().map(c -> c.digest()).toList()))
        .isEmpty();
  }

  @Test
  void idsOfAnotherContainerAreNotTakenOver() throws IOException {
    Archived first = settled(known());
    var shifted = List.of(new dev.regen.runtime.oci.FrozenLayer.IdRange(100, 0, 10_000));
    ArchiveRequest request =
        new ArchiveRequest(List.of(), List.of(), shifted, shifted, Sealing.NONE);

    Archived second =
        new LayerArchiver(store, 2)
            .archive(frozen(), request, known(first), Progress.NONE, () -> false);

    Archive whole = new LayerArchiver(store, 2).archive(tree, request, Progress.NONE, () -> false);
    assertThat(second.archive().chunks()).isEqualTo(whole.chunks());
    assertThat(whole.chunks().getFirst()).isNotEqualTo(first.archive().chunks().getFirst());
  }

  private static String edit(Random random) {
    String directory = "d" + random.nextInt(30);
    String file = directory + "/sub/f" + random.nextInt(20);
    String other = "d" + random.nextInt(30) + "/sub/f" + random.nextInt(25);
    return switch (random.nextInt(12)) {
      case 0 -> "head -c " + random.nextInt(40_000) + " /dev/urandom > " + file;
      case 1 -> "rm -rf " + file;
      case 2 -> "mv -T " + file + " " + other;
      case 3 -> "ln -f " + file + " " + other;
      case 4 -> "chmod " + (random.nextBoolean() ? "600 " : "755 ") + file;
      case 5 -> "rm -rf " + directory + "/sub/f1*";
      case 6 ->
          "mkdir -p "
              + directory
              + "/new; echo "
              + random.nextInt()
              + " > "
              + directory
              + "/new/"
              + random.nextInt(5);
      case 7 -> "touch " + file;
      case 8 -> "head -c 3000 /dev/urandom >> large";
      case 9 -> "ln -sf " + random.nextInt() + " " + directory + "/link";
      case 10 ->
          "mv -T "
              + directory
              + "/sub x; mv -T "
              + "d0/sub "
              + directory
              + "/sub;"
              + " mv -T x d0/sub";
      default -> "setfattr -n user.n -v " + random.nextInt() + " " + file;
    };
  }

  private KnownGroups known(Archived... before) {
    KnownGroups known = new KnownGroups(store, new ChunkReader(store));
    for (Archived archived : before) {
      known.add(archived::archive, archived.facts());
    }
    return known;
  }

  /** Archives when what was written last is old enough to be told from what comes next. */
  private Archived settled(KnownGroups known) throws IOException {
    try {
      Thread.sleep(SETTLED_MILLIS);
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    return new LayerArchiver(store, 2)
        .archive(frozen(), ArchiveRequest.PLAIN, known, Progress.NONE, () -> false);
  }

  private FrozenTree frozen() {
    return new FrozenTree(tree, Kind.EXCHANGED, null);
  }

  private Archived archive(KnownGroups known, Instant now) throws IOException {
    return new LayerArchiver(store, 2, InstantSource.fixed(now))
        .archive(frozen(), ArchiveRequest.PLAIN, known, Progress.NONE, () -> false);
  }

  private static void write(Path file, int length, Random random) throws IOException {
    byte[] content = new byte[length];
    random.nextBytes(content);
    Files.write(file, content);
  }
}
