package dev.regen.snapshot.capture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.durable.FaultyDisk;
import dev.regen.runtime.durable.PowerCuts;
import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.crypt.FixedKeys;
import dev.regen.snapshot.layer.Progress;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Cuts the power at every file operation while a snapshot is encrypted, brought under another key,
 * and decrypted. It shares chunks with the one before it, which is left alone.
 */
final class ResealingPowerCutTest {
  private static final Path DIRECTORY = Path.of("/home");
  private static final List<String> TREES = List.of("a-b", "b-c");

  @Test
  void snapshotIsWholeInThePlainOrEncrypted() throws Exception {
    cutEverywhere(0, 1, null, FixedKeys.id(1));
  }

  @Test
  void snapshotIsWholeUnderTheOldKeyOrTheNew() throws Exception {
    cutEverywhere(1, 2, FixedKeys.id(1), FixedKeys.id(2));
  }

  @Test
  void snapshotIsWholeEncryptedOrInThePlain() throws Exception {
    cutEverywhere(1, 0, FixedKeys.id(1), null);
  }

  /** From key {@code from} to key {@code to}; 0 for none. */
  private static void cutEverywhere(int from, int to, @Nullable KeyId before, @Nullable KeyId after)
      throws Exception {
    PowerCuts.everywhere(
        disk -> {
          Home home = open(disk, from);
          home.capture(1, "a-b", Home.GOOD);
          home.capture(2, "b-c", Home.GOOD);
          reseal(home, from);
        },
        disk -> reseal(open(disk, to), to),
        (disk, finished) -> {
          Home home = open(disk, to);
          assertThat(home.trees()).isEqualTo(TREES);
          assertThat(tail(home).key()).isIn(finished ? after : before, after);
          home.captures.removals().sweep();
          reseal(home, to);
          assertThat(tail(home).key()).isEqualTo(after);
          assertThat(tail(home).spec().string("Hostname")).isEqualTo("desk-2");
          assertThat(home.trees()).isEqualTo(TREES);
          Verified verified = home.captures.checks().verify(null);
          assertThat(verified.problems()).isEmpty();
          assertThat(verified.unreferencedChunks()).isZero();
        });
  }

  private static void reseal(Home home, int key) throws Exception {
    home.captures
        .sealing()
        .reseal(Home.DESK, tail(home).id(), key != 0, Progress.NONE, () -> false);
  }

  private static Snapshot tail(Home home) throws Exception {
    return home.snapshots.read(home.queue().elements().getLast().id());
  }

  /** All keys are there, {@code active} encrypts. */
  private static Home open(FaultyDisk disk, int active) throws Exception {
    FixedKeys keys = new FixedKeys().activate(1).activate(2);
    return new Home(disk, DIRECTORY, active == 0 ? keys : keys.activate(active));
  }
}
