package dev.regen.snapshot.capture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.layer.LayerRestorer;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.queue.SnapshotQueue;
import dev.regen.snapshot.restore.EarlyLook;
import dev.regen.snapshot.restore.EarlyTree;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Hazard: the tree of a snapshot that arrives is made of the one before it, which a start may have,
 * a restore may have chosen, or which is half taken apart when something fails. find, getfattr and
 * sha256sum compare with a tree that is unpacked from nothing.
 */
final class ArrivedTreeTest extends ArrivedTrees {
  @Test
  void aTreeOfACaptureBecomesTheNextOne() throws Exception {
    Snapshot one = captured(TREE, true);
    Set<String> inodes = inodes(hot(one));
    Snapshot two = captured(CHANGES, false);

    successors.prepare(two, staging, Progress.NONE, () -> false);

    assertThat(taken(inodes, two)).isGreaterThan(inodes.size() * 9 / 10);
    assertSame(two);
    assertThat(staging()).containsExactly(name(two));
  }

  @Test
  void aTreeThatWasMadeThatWayBecomesTheNextOneAgain() throws Exception {
    Snapshot one = captured(TREE, false);
    successors.prepare(one, staging, Progress.NONE, () -> false);
    awaitFacts(one);
    Snapshot two = captured(CHANGES, false);
    successors.prepare(two, staging, Progress.NONE, () -> false);
    awaitFacts(two);
    Set<String> inodes = inodes(hot(two));
    Snapshot three = captured("rm -r a/d40; echo more >> a/d41/f1", false);

    try (EarlyTree early = successors.early(three, staging, chunks::get, EarlyLook.NOTHING)) {
      early.landed();
    }

    assertThat(taken(inodes, three)).isGreaterThan(inodes.size() * 9 / 10);
    assertSame(three);
    assertThat(staging()).containsExactly(name(three));
  }

  @Test
  void aTreeThatWasLookedAtBeforeAnythingCameIsNotLookedAtAgain() throws Exception {
    Snapshot one = captured(TREE, true);
    Set<String> inodes = inodes(hot(one));
    Snapshot two;

    try (EarlyLook look = successors.look(DESK, staging)) {
      awaitNoThread("early-look");
      two = captured(CHANGES, false);
      try (EarlyTree early = successors.early(two, staging, chunks::get, look)) {
        early.landed();
      }
    }

    assertThat(looks).hasValue(1);
    assertThat(taken(inodes, two)).isGreaterThan(inodes.size() * 9 / 10);
    assertSame(two);
    assertThat(staging()).containsExactly(name(two));
  }

  @Test
  void anEarlyLookAtATreeThatAnotherSnapshotHasSucceededIsOfNoUse() throws Exception {
    captured(TREE, true);

    try (EarlyLook look = successors.look(DESK, staging)) {
      awaitNoThread("early-look");
      Snapshot two = captured(CHANGES, false);
      successors.prepare(two, staging, Progress.NONE, () -> false);
      awaitFacts(two);
      Snapshot three = captured("rm -r a/d40; echo more >> a/d41/f1", false);
      try (EarlyTree early = successors.early(three, staging, chunks::get, look)) {
        early.landed();
      }
      assertThat(looks).hasValue(3);
      assertSame(three);
      assertThat(staging()).containsExactly(name(three));
    }
  }

  @Test
  void aTreeThatAStartGetsAfterAnEarlyLookIsNotTaken() throws Exception {
    Snapshot one = captured(TREE, true);

    try (EarlyLook look = successors.look(DESK, staging)) {
      awaitNoThread("early-look");
      Path given = hotTrees.prepare(one, staging, List.of(), List.of(), Progress.NONE);
      String before = Script.bash(given, ALL);
      Snapshot two = captured(CHANGES, false);
      try (EarlyTree early = successors.early(two, staging, chunks::get, look)) {
        early.landed();
      }
      assertThat(Script.bash(given, ALL)).isEqualTo(before);
      assertSame(two);
      assertThat(staging()).containsExactlyInAnyOrder(name(one), name(two));
    }
  }

  @Test
  void aTreeThatAStartHasIsNotTaken() throws Exception {
    Snapshot one = captured(TREE, true);
    Snapshot two = captured(CHANGES, false);
    Path given = hotTrees.prepare(one, staging, List.of(), List.of(), Progress.NONE);
    String before = Script.bash(given, ALL);

    successors.prepare(two, staging, Progress.NONE, () -> false);

    assertThat(Script.bash(given, ALL)).isEqualTo(before);
    assertSame(two);
    assertThat(staging()).containsExactlyInAnyOrder(name(one), name(two));
  }

  @Test
  void aTreeThatAStartGetsAfterTheLookIsNotTaken() throws Exception {
    Snapshot one = captured(TREE, true);
    Snapshot two = captured(CHANGES, false);

    try (EarlyTree early = successors.early(two, staging, chunks::get, EarlyLook.NOTHING)) {
      awaitNoThread("early-tree");
      hotTrees.prepare(one, staging, List.of(), List.of(), Progress.NONE);
      early.landed();
    }

    assertThat(staging()).containsExactly(name(one));
  }

  @Test
  void aTreeThatARestoreChoseIsNotTaken() throws Exception {
    Snapshot one = captured(TREE, true);
    Snapshot two = captured(CHANGES, false);
    try (EarlyTree early = successors.early(two, staging, chunks::get, EarlyLook.NOTHING)) {
      awaitNoThread("early-tree");
      try (SnapshotQueue queue = queues.open(DESK)) {
        queue.choose(one.id());
      }
      early.landed();
    }
    assertThat(staging()).containsExactly(name(one));

    successors.prepare(two, staging, Progress.NONE, () -> false);

    assertThat(staging()).containsExactlyInAnyOrder(name(one), name(two));
  }

  @Test
  void nothingIsTakenBeforeTheSnapshotIsInItsQueue() throws Exception {
    Snapshot one = captured(TREE, true);
    String before = Script.bash(hot(one), ALL);
    Snapshot two = captured(CHANGES, false);

    try (EarlyTree _ = successors.early(two, staging, chunks::get, EarlyLook.NOTHING)) {
      awaitNoThread("early-tree");
    }

    assertThat(Script.bash(hot(one), ALL)).isEqualTo(before);
    assertThat(staging()).containsExactly(name(one));
  }

  @Test
  void chunksThatCannotBeReadLeaveNothing() throws Exception {
    captured(TREE, true);
    Snapshot two = captured(CHANGES, false);
    ChunkReader.Source failing =
        digest -> {
          if (two.archive().chunks().stream().anyMatch(chunk -> chunk.digest().equals(digest))) {
            throw new IOException("no chunks to be had");
          }
          return chunks.get(digest);
        };

    try (EarlyTree early =
        successors(new LocalDisk(), new LayerRestorer(new ChunkReader(chunks).of(failing), 2))
            .early(two, staging, failing, EarlyLook.NOTHING)) {
      early.landed();
    }

    assertThat(staging()).isEmpty();
    successors.prepare(two, staging, Progress.NONE, () -> false);
    assertSame(two);
  }
}
