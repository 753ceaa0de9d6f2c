package dev.regen.snapshot.diff;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.layer.ArchiveEntries;
import dev.regen.snapshot.layer.ArchiveRequest;
import dev.regen.snapshot.layer.ImageTree;
import dev.regen.snapshot.layer.LayerArchiver;
import dev.regen.snapshot.layer.LayerEntries;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.layer.TreeEntries;
import dev.regen.snapshot.store.MemoryChunkStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What differs between two layers is what an independent tool sees differ between the two unions:
 * real overlay mounts over an image of two layers, changed by random edits, listed by Python.
 */
final class LayerDiffTest {
  private final MemoryChunkStore store = new MemoryChunkStore();
  @TempDir private Path directory;

  @BeforeEach
  void directories() throws IOException {
    assumeTrue(Edits.isRoot(), "mounts, owners and devices take root");
    Edits.bash(directory, "mkdir lower1 lower2 union a b");
  }

  @AfterEach
  void unmounted() throws IOException {
    Edits.bash(directory, "umount -q union || true");
    for (String name : List.of("lower1", "lower2", "union", "a", "b", "work")) {
      TreeRemoval.remove(directory.resolve(name));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void snapshotsDifferAsTheirUnionsDo(int seed) throws IOException {
    String expected = twoUnions(seed);
    Archive before = archive("a");
    Archive now = archive("b");

    String told = diff(entries(before), entries(now), image(), Instant.MIN.plusSeconds(9));

    assertThat(told).as("seed %d", seed).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(ints = {11, 12})
  void snapshotAndLiveTreeDifferAsTheirUnionsDo(int seed) throws IOException {
    String expected = twoUnions(seed);
    Archive before = archive("a");

    String told = diff(entries(before), tree("b"), image(), Instant.EPOCH);

    assertThat(told).as("seed %d", seed).isEqualTo(expected);
  }

  @Test
  void namesThatAreNoTextComeOutEscapedAndInOrder() throws IOException {
    Edits.bash(
        directory, "cd b; touch a.b a\\\\b $'\\xff' $'n\\nl' $'\\e[31m' ä; mkdir a; touch a/z");
    Edits.bash(directory, "touch -d @0 a b; chmod 755 a b");

    assertThat(diff(entries(archive("a")), entries(archive("b")), null, Instant.EPOCH))
        .isEqualTo(
            """
            A - /\\x1b[31m
            A - /a
            A - /a/z
            A - /a.b
            A - /a\\\\b
            A - /n\\x0al
            A - /ä
            A - /\\xff
            """);
  }

  @Test
  void withoutTheImageADeletionMarkStandsForWhatItHides() throws IOException {
    Edits.bash(
        directory,
        "mknod b/gone c 0 0; mknod a/back c 0 0; mknod a/both c 0 0; mknod b/both c 0 0");
    Edits.bash(directory, "touch a/own; mkdir a/d; touch a/d/f; mknod b/d c 0 0; touch -d @0 a b");

    assertThat(diff(entries(archive("a")), entries(archive("b")), null, Instant.EPOCH))
        .isEqualTo(
            """
            A - /back
            D - /d
            D - /d/f
            D - /gone
            D - /own
            """);
  }

  @Test
  void contentThatDiffersAtTheSameSizeAndTimeIsTold() throws IOException {
    Edits.bash(
        directory,
        """
        for t in a b; do echo same > $t/same; head -c 5000000 /dev/zero > $t/large
        echo n$t > $t/new; ln $t/new $t/zlink; setfattr -n user.k -v $t $t/same; done
        printf x | dd of=b/large bs=1 seek=4000000 conv=notrunc status=none
        find a b -exec touch -h -d @5 {} +
        """);

    assertThat(diff(entries(archive("a")), entries(archive("b")), null, Instant.EPOCH))
        .isEqualTo("C content /large\nC content /new\nC xattrs /same\nC content /zlink\n");
  }

  @Test
  void unchangedFilesOnDiskAreNotRead() throws IOException {
    Edits.bash(directory, "echo one > a/f; cp -a a/f b/f; echo two > b/g; touch -d @5 b/f a/f a b");
    Archive before = archive("a");
    Edits.bash(directory, "echo eno > a/f; touch -d @5 a/f a");

    assertThat(diff(entries(before), tree("a"), null, Instant.now().plusSeconds(60))).isEmpty();
    assertThat(diff(entries(before), tree("a"), null, Instant.now().minusSeconds(60)))
        .isEqualTo("C content /f\n");
  }

  @Test
  void oneOfManyHardLinksThatBecameTheFirstNameChangesNothing() throws IOException {
    Edits.bash(
        directory, "for i in $(seq 300); do echo $i > a/m$i; ln a/m$i a/z$i; done; cp -a a/. b");
    Edits.bash(directory, "cd b; for i in $(seq 300); do ln m$i b$i; done; touch -r ../a .");

    String told = diff(entries(archive("a")), entries(archive("b")), null, Instant.EPOCH);

    assertThat(told.lines()).hasSize(300).allMatch(line -> line.startsWith("A - /b"));
  }

  @Test
  void missingDataIsNamedAndOnlyWhereItIsNeeded() throws IOException {
    Edits.bash(directory, "for t in a b; do seq 5000 > $t/f; done; touch -d @5 a/f b/f a b");
    Archive before = archive("a");
    Archive now = archive("b");
    store.delete(List.of(before.chunks().getFirst().digest()));

    assertThat(diff(entries(before), entries(now), null, Instant.EPOCH)).isEmpty();

    Edits.bash(directory, "sed -i s/77/78/ b/f; touch -d @5 b/f b");
    assertThatThrownBy(() -> diff(entries(before), entries(archive("b")), null, Instant.EPOCH))
        .isInstanceOf(RegenException.Damaged.class);
  }

  /** Makes both uppers; what Python sees differ. */
  private String twoUnions(int seed) throws IOException {
    Edits.python(directory, Edits.IMAGE, seed);
    for (String upper : List.of("a", "b")) {
      if (upper.equals("b")) {
        Edits.bash(directory, "cp -a a/. b");
      }
      mount(upper);
      Edits.python(directory.resolve("union"), Edits.CHANGES, seed + upper.charAt(0) * 1000);
      Edits.bash(directory, "umount union; rm -r work");
    }
    for (String upper : List.of("a", "b")) {
      mount(upper);
      Edits.python(directory.resolve("union"), Edits.LISTING, upper.charAt(0));
      Edits.bash(directory, "umount union; rm -r work");
    }
    return Edits.python(directory, Edits.DIFFERENCE, seed);
  }

  private void mount(String upper) throws IOException {
    Edits.bash(
        directory,
        "mkdir work; mount -t overlay overlay union -o index=off,lowerdir=lower1:lower2,workdir=work"
            + ",upperdir="
            + upper);
  }

  private ImageTree image() throws IOException {
    return new ImageTree(
        List.of(directory.resolve("lower1"), directory.resolve("lower2")), List.of(), List.of());
  }

  private Archive archive(String tree) throws IOException {
    return new LayerArchiver(store, 1)
        .archive(directory.resolve(tree), ArchiveRequest.PLAIN, Progress.NONE, () -> false);
  }

  private LayerEntries entries(Archive archive) {
    return new ArchiveEntries(new ChunkReader(store), archive);
  }

  private LayerEntries tree(String name) throws IOException {
    return new TreeEntries(directory.resolve(name), ArchiveRequest.PLAIN);
  }

  private static String diff(
      LayerEntries before,
      LayerEntries now,
      @org.jspecify.annotations.Nullable ImageTree image,
      Instant since)
      throws IOException {
    List<String> lines = new ArrayList<>();
    try (before;
        now;
        image) {
      new LayerDiff(before, now, image, since, change -> lines.add(line(change))).run();
    }
    return lines.stream().map(line -> line + "\n").collect(Collectors.joining());
  }

  private static String line(Change change) {
    String what =
        change.what().stream()
            .sorted()
            .map(one -> one.name().toLowerCase(Locale.ROOT))
            .collect(Collectors.joining(","));
    return change.kind().letter()
        + " "
        + (what.isEmpty() ? "-" : what)
        + " "
        + ShownPath.of(change.path());
  }
}
