package dev.regen.snapshot.capture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.DiskFullException;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.crypt.FixedKeys;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.layer.LayerRestorer;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.queue.SnapshotQueue;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Hazard: the disk is full, somebody cancels, or the process dies, at some step on the way from one
 * tree to the next, and half a tree has the name of a whole one.
 */
final class ArrivedTreeInTroubleTest extends ArrivedTrees {
  private static final String DIRECTORIES =
      """
      for d in {1..6}; do mkdir -p a/d$d/deep; echo deep > a/d$d/deep/f
        head -c 600000 /dev/urandom | split -b 150000 -a 1 --numeric-suffixes=1 - a/d$d/f; done
      ln a/d3/f1 a/d4/link
      """;
  private static final String CHANGE = "echo changed >> a/d5/f2; echo new > a/d3/new";

  private final Map<String, String> whole = new HashMap<>();
  private final List<String> halves = new ArrayList<>();
  private boolean looking;
  private Trouble trouble = Trouble.NONE;
  private int troubleAt;
  private int step;
  private boolean cancelled;

  enum Trouble {
    NONE,
    FULL,
    CANCELLED
  }

  @Test
  void aProcessThatDiesAtAnyStepLeavesNoHalfTree() throws Exception {
    Snapshot one = arrived(DIRECTORIES);
    Snapshot two = arrived(CHANGE);
    ready(one, two);
    looking = true;

    successors.prepare(two, staging, Progress.NONE, () -> false);

    assertThat(step).isGreaterThan(5);
    assertThat(halves).isEmpty();
    assertThat(staging()).containsExactly(name(two));
  }

  @ParameterizedTest
  @EnumSource(names = {"FULL", "CANCELLED"})
  void atAnyStepNothingHalfMadeIsLeftAndTheNextIsRight(Trouble kind) throws Exception {
    Snapshot one = arrived(DIRECTORIES);
    Snapshot two = arrived(CHANGE);
    int steps = Integer.MAX_VALUE;
    for (int at = 1; at <= steps; at += 2) {
      ready(one, two);
      trouble = kind;
      troubleAt = at;
      try {
        successors.prepare(two, staging, Progress.NONE, () -> cancelled);
        steps = Math.min(steps, step);
      } catch (IOException | CancellationException e) {
        assertThat(step).as(e.toString()).isGreaterThanOrEqualTo(at);
      }
      trouble = Trouble.NONE;
      look();
      assertThat(halves).as("step %d", at).isEmpty();
      assertThat(staging()).allMatch(whole::containsKey);

      successors.prepare(two, staging, Progress.NONE, () -> false);

      assertThat(Script.bash(hot(two), ALL)).isEqualTo(whole.get(name(two)));
    }
  }

  @Test
  void anEncryptedTreeBecomesTheNextOne() throws Exception {
    open(new LocalDisk(), new FixedKeys().activate(1));
    try (SnapshotQueue queue = queues.openOrCreate(DESK, 3)) {
      queue.encrypt(true);
    }
    Snapshot one = captured(TREE, true);
    assertThat(one.key()).isEqualTo(FixedKeys.id(1));
    Set<String> inodes = inodes(hot(one));
    Snapshot two = captured(CHANGES, false);

    successors.prepare(two, staging, Progress.NONE, () -> false);

    assertThat(taken(inodes, two)).isGreaterThan(inodes.size() * 9 / 10);
    assertSame(two);
    assertThat(staging()).containsExactly(name(two));
  }

  private Snapshot arrived(String changes) throws Exception {
    open(troubled(), Keys.NONE);
    Snapshot snapshot = captured(changes, false);
    Path tree = directory.resolve("whole-" + snapshot.id());
    new LayerRestorer(new ChunkReader(chunks), 2)
        .restore(snapshot.archive(), tree, List.of(), List.of(), Progress.NONE);
    whole.put(name(snapshot), Script.bash(tree, ALL));
    return snapshot;
  }

  /** The tree of the one before is there, and what is known of it. */
  private void ready(Snapshot one, Snapshot two) throws Exception {
    TreeRemoval.remove(hot(two));
    successors.prepare(one, staging, Progress.NONE, () -> false);
    await(() ->
        captures.files().present(hot(one), one, () -> false).holdsHalfOf(two.archive().chunks()));
    hotTrees.force(staging);
    step = 0;
    cancelled = false;
  }

  /** What the next start would find if the process died now, or the host went down. */
  private synchronized void look() throws IOException {
    for (Map.Entry<String, String> tree : whole.entrySet()) {
      Path hot = stagingPath.resolve(tree.getKey());
      if (Files.exists(hot) && !Script.bash(hot, ALL).equals(tree.getValue())) {
        halves.add("step " + step + ": " + tree.getKey());
      }
    }
    if (!Files.exists(stagingPath.resolve("unforced"))
        && staging().stream().noneMatch(whole::containsKey)) {
      halves.add("step " + step + ": not noted");
    }
  }

  /** The local disk, with the trouble. */
  private Disk troubled() {
    LocalDisk local = new LocalDisk();
    return (Disk)
        Proxy.newProxyInstance(
            Disk.class.getClassLoader(),
            new Class<?>[] {Disk.class},
            (_, called, arguments) -> {
              if (!called.getName().equals("read")) {
                next();
              }
              try {
                return called.invoke(local, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private synchronized void next() throws IOException {
    step++;
    if (looking) {
      look();
    }
    if (trouble == Trouble.FULL && step >= troubleAt) {
      throw new DiskFullException(stagingPath, new IOException("no space"));
    }
    cancelled = trouble == Trouble.CANCELLED && step >= troubleAt;
  }
}
