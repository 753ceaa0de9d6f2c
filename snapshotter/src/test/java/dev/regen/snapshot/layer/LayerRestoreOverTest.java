package dev.regen.snapshot.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.oci.FrozenLayer.Kind;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.chunk.Sealing;
import dev.regen.snapshot.store.MemoryChunkStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A tree that is restored over another one, with files of that one in it, against one that is
 * restored from nothing; find, getfattr and sha256sum compare.
 */
final class LayerRestoreOverTest {
  private static final String ALL =
      """
      export LC_ALL=C
      find . -printf '%p|%y|%m|%U|%G|%s|%T@|%n|%b|%l\\n' | sed 's/^\\(.*|d|.*|.*|.*|\\)[^|]*\\(|[^|]*|[^|]*|\\)[^|]*|/\\1\\2/' | sort
      find . -type b -o -type c | sort | while read -r f; do stat -c '%n %t:%T' "$f"; done
      find . -print0 | sort -z | xargs -0 getfattr -h -d -m - -e hex 2>&1
      find . ! -type d -links +1 -printf '%i %p\\n' | sort \
        | awk '{ if ($1 != last) group++; last = $1; first[group] = first[group] " " $2 }
               END { for (g in first) print first[g] }' | sort
      find . -type f -print0 | sort -z | xargs -0 sha256sum
      """;
  private static final long SETTLED_MILLIS = 60;

  private final MemoryChunkStore store = new MemoryChunkStore();
  private final ChunkReader reader = new ChunkReader(store);
  @TempDir private Path directory;
  private Path tree = Path.of("");
  private Path target = Path.of("");

  @BeforeEach
  void directories() throws IOException {
    assumeTrue(Tool.isRoot(), "owners, devices and attributes take root");
    tree = Files.createDirectory(directory.resolve("tree"));
    target = directory.resolve("target");
  }

  @Test
  void editedTreesComeBackAsFromNothing() throws IOException {
    for (long seed = 1; seed <= 3; seed++) {
      System.out.println("tree and edits of seed " + seed);
      Path present = Files.createDirectory(tree.resolve("seed-" + seed));
      run(present, RandomTree.script(seed));
      Archived wanted = settled(present);
      run(present, RandomTree.edits(seed, paths(present)));
      Archived edited = settled(present);
      Path plain = restored(wanted.archive(), directory.resolve("plain-" + seed), null);
      Set<String> inodes = inodes(present);

      Path over =
          restored(wanted.archive(), directory.resolve("over-" + seed), look(present, edited));

      Set<String> shared = inodes(over);
      shared.retainAll(inodes);
      TreeRemoval.remove(present);
      assertThat(Tool.bash(over, ALL)).as("seed %d", seed).isEqualTo(Tool.bash(plain, ALL));
      assertThat(shared).as("seed %d", seed).hasSizeGreaterThan(inodes.size() / 2);
    }
  }

  @Test
  void editedTreesComeBackOutOfOnesThatNobodyNeeds() throws IOException {
    for (long seed = 11; seed <= 14; seed++) {
      System.out.println("tree and edits of seed " + seed);
      Path present = Files.createDirectory(tree.resolve("seed-" + seed));
      run(present, RandomTree.script(seed));
      Archived wanted = settled(present);
      run(present, RandomTree.edits(seed, paths(present)));
      Archived edited = settled(present);
      Path plain = restored(wanted.archive(), directory.resolve("plain-" + seed), null);
      Set<String> inodes = inodes(present);
      Path made = directory.resolve("made-" + seed);

      PresentTree looked = look(present, edited);
      LayerRestorer restorer = new LayerRestorer(reader, 2);
      restorer.restoreOutOf(
          looked,
          restorer.same(looked, wanted.archive()),
          wanted.archive(),
          made,
          new LocalDisk(),
          Progress.NONE,
          () -> false);

      Set<String> moved = inodes(made);
      moved.retainAll(inodes);
      // With the numbers of names, though what is left is still there.
      assertThat(Tool.bash(made, ALL)).as("seed %d", seed).isEqualTo(Tool.bash(plain, ALL));
      assertThat(moved).as("seed %d", seed).hasSizeGreaterThan(inodes.size() / 2);
    }
  }

  @Test
  void directoriesThatHaveNotChangedAreMovedAndNoOthers() throws IOException {
    Tool.bash(
        tree,
        """
        for d in a/same a/more a/less a/edited a/linked a/excluded; do
          mkdir -p $d/deep; for i in $(seq 200); do echo $d $i > $d/$i; done; echo deep > $d/deep/f; done
        ln a/linked/1 name-of-linked
        """);
    ArchiveRequest request =
        new ArchiveRequest(
            List.of(), List.of("/a/excluded/deep/g"), List.of(), List.of(), Sealing.NONE);
    Archived wanted = settled(tree);
    Tool.bash(
        tree,
        """
        touch a/more/0
        rm a/less/6
        echo other > a/edited/deep/f
        """);
    Archived edited = settled(tree);
    KnownGroups known = new KnownGroups(store, reader);
    known.add(wanted::archive, wanted.facts());
    known.add(edited::archive, edited.facts());
    PresentTree present =
        PresentTree.look(tree, request, known, InstantSource.system(), () -> false);

    List<byte[]> same =
        new LayerRestorer(reader, 2)
            .restoreOver(present, wanted.archive(), target, List.of(), List.of(), Progress.NONE);

    List<String> names = same.stream().map(Paths::shown).toList();
    assertThat(names)
        .contains("/a/same")
        .noneMatch(name -> name.matches("/a/(more|less|edited|linked|excluded)"));
    move(tree, target, same);
    TreeRemoval.remove(tree);
    Path plain = restored(wanted.archive(), directory.resolve("plain"), null);
    assertThat(Tool.bash(target, ALL)).isEqualTo(Tool.bash(plain, ALL));
  }

  @Test
  void withoutAnyFactsFilesAreComparedByTheirBytes() throws IOException {
    run(tree, RandomTree.script(9));
    Archived wanted = settled(tree);
    run(tree, RandomTree.edits(9, paths(tree)));
    Path plain = restored(wanted.archive(), directory.resolve("plain"), null);
    Set<String> inodes = inodes(tree);

    Path over = restored(wanted.archive(), target, look(tree));

    Set<String> shared = inodes(over);
    shared.retainAll(inodes);
    TreeRemoval.remove(tree);
    assertThat(Tool.bash(over, ALL)).isEqualTo(Tool.bash(plain, ALL));
    assertThat(shared).isNotEmpty();
  }

  @Test
  void aFileThatAFrozenTreeHoldsTooIsNotShared() throws IOException {
    Tool.bash(tree, "mkdir d; echo one > d/a; echo two > d/b");
    Archived wanted = settled(tree);
    Tool.bash(tree, "mkdir ../frozen; ln d/a ../frozen/a");

    Path over = restored(wanted.archive(), target, look(tree, wanted));

    assertThat(Tool.bash(directory, "find frozen/a -printf %n")).isEqualTo("2");
    assertThat(Tool.bash(over, "cat d/a d/b")).isEqualTo("one\ntwo\n");
  }

  @Test
  void aFileThatChangesAfterTheLookIsRefusedAndNothingIsLeft() throws IOException {
    Tool.bash(tree, "mkdir d; echo one > d/a; echo two > d/b");
    Archived wanted = settled(tree);
    PresentTree present = look(tree, wanted);
    Tool.bash(tree, "echo three > d/a");

    assertThatThrownBy(() -> restored(wanted.archive(), target, present))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining("d/a");
    assertThat(target).doesNotExist();
  }

  private void run(Path where, String script) throws IOException {
    Path file = Files.writeString(directory.resolve("script"), script);
    Tool.bash(where, "bash -u " + file + " >/dev/null 2>&1 || true");
  }

  private static List<String> paths(Path where) throws IOException {
    return Tool.bash(where, "find . -mindepth 1 | LC_ALL=C sort").lines().toList();
  }

  private static Set<String> inodes(Path where) throws IOException {
    return new HashSet<>(Tool.bash(where, "find . -type f -printf '%i\\n'").lines().toList());
  }

  private PresentTree look(Path present, Archived... before) throws IOException {
    KnownGroups known = new KnownGroups(store, reader);
    for (Archived archived : before) {
      known.add(archived::archive, archived.facts());
    }
    return PresentTree.look(
        present, ArchiveRequest.PLAIN, known, InstantSource.system(), () -> false);
  }

  private Path restored(Archive archive, Path to, @Nullable PresentTree over) throws IOException {
    LayerRestorer restorer = new LayerRestorer(reader, 2);
    if (over == null) {
      restorer.restore(archive, to, List.of(), List.of(), Progress.NONE);
    } else {
      List<byte[]> same =
          restorer.restoreOver(over, archive, to, List.of(), List.of(), Progress.NONE);
      move(over.directory(), to, same);
    }
    return to;
  }

  private static void move(Path from, Path to, List<byte[]> directories) throws IOException {
    for (byte[] path : directories) {
      List<byte[]> parents = MemberPath.of(path).parents();
      try (Fd here = Fd.directory(from);
          Fd there = Fd.directory(to);
          Fd holder = Beneath.open(here, parents, Fd.RDONLY | Fd.DIRECTORY);
          Fd next = Beneath.open(there, parents, Fd.RDONLY | Fd.DIRECTORY)) {
        Stat.Time time = next.stat().mtime();
        holder.renameAt(Paths.name(path), next, Paths.name(path), 1);
        next.touch(time);
      }
    }
  }

  /** Archives when what was written last is old enough to have facts. */
  private Archived settled(Path where) throws IOException {
    try {
      Thread.sleep(SETTLED_MILLIS);
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    return new LayerArchiver(store, 2)
        .archive(
            new FrozenTree(where, Kind.IN_PLACE, null),
            ArchiveRequest.PLAIN,
            new KnownGroups(store, reader),
            Progress.NONE,
            () -> false);
  }
}
