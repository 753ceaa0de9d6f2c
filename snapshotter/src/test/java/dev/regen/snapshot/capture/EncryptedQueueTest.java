package dev.regen.snapshot.capture;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.durable.Records;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.crypt.FixedKeys;
import dev.regen.snapshot.layer.LayerArchiver;
import dev.regen.snapshot.layer.LayerExport;
import dev.regen.snapshot.layer.LayerRestorer;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.queue.SnapshotQueue;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.PackedChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real trees through real captures into a queue that encrypts, and back. */
final class EncryptedQueueTest {
  private static final String MARKER = "the-secret-marker-0f9c";
  private static final long SEED = 20261122;

  @TempDir private Path directory;
  private final FixedKeys keys = new FixedKeys().activate(1);
  private SnapshotQueues queues;
  private SnapshotStore snapshots;
  private PackedChunkStore chunks;
  private Captures captures;
  private Path home;
  private Path tree;

  @BeforeEach
  void openHome() throws IOException {
    assumeTrue("root".equals(System.getProperty("user.name")), "layer trees need root");
    home = directory.resolve("home");
    LocalDisk disk = new LocalDisk();
    new Records(disk).makeDirectory(home);
    queues = new SnapshotQueues(disk, home.resolve("queues"));
    snapshots = new SnapshotStore(disk, home.resolve("snapshots"), keys);
    chunks = new PackedChunkStore(disk, home.resolve("chunks"));
    LayerArchiver archiver = new LayerArchiver(chunks, 2);
    captures = new Captures(disk, home, queues, snapshots, chunks, archiver::archive, keys);
    tree = Files.createDirectories(directory.resolve("trees/" + MARKER + "-tree"));
    fillTree();
  }

  @Test
  void captureComesBackAsItWasAndLeavesNoPlaintextInTheHome() throws IOException {
    encrypting(true);
    Snapshot snapshot = capture(1);

    restored(snapshot);
    assertThat(snapshot.key()).isEqualTo(FixedKeys.id(1));
    assertThat(snapshots.read(snapshot.id()).spec()).hasToString("{\"Hostname\":\"desk-1\"}");
    assertThat(snapshots.read(snapshot.id()).notHeld()).containsExactly("a volume at /data");
    assertNoPlaintext();
  }

  @Test
  void secondCaptureUnderTheSameKeyStoresNothingAndOneUnderAnotherEverything() throws IOException {
    encrypting(true);
    Snapshot first = capture(1);
    assertThat(captures.capture(layer(2), Home.GOOD, Progress.NONE, () -> false))
        .isInstanceOf(CaptureResult.Unchanged.class);
    Files.writeString(tree.resolve("more"), "x");
    Snapshot second = capture(3);
    keys.activate(2);
    Snapshot third = capture(4);

    assertThat(shared(first, second)).isGreaterThan(first.archive().chunks().size() / 2);
    assertThat(shared(second, third)).isZero();
    restored(third);
  }

  @Test
  void cutsDependOnTheKey() throws IOException {
    List<Integer> plain = lengths(capture(1));
    encrypting(true);
    List<Integer> one = lengths(capture(2));
    keys.activate(2);
    List<Integer> two = lengths(capture(3));

    assertThat(one).isNotEqualTo(plain).isNotEqualTo(two);
  }

  @Test
  void exportIsAPlainLayerInBothForms() throws IOException {
    Snapshot plain = capture(1);
    byte[] expected = exported(plain, LayerExport.Form.TAR);
    captures.sealing().reseal(Home.DESK, plain.id(), true, Progress.NONE, () -> false);
    Snapshot sealed = snapshots.read(plain.id());

    assertThat(exported(sealed, LayerExport.Form.TAR)).isEqualTo(expected);
    assertThat(exported(sealed, LayerExport.Form.STORED))
        .isEqualTo(exported(sealed, LayerExport.Form.STORED))
        .startsWith(0x28, 0xB5, 0x2F, 0xFD);
    try (var zstd =
        new com.github.luben.zstd.ZstdInputStream(
            new ByteArrayInputStream(exported(sealed, LayerExport.Form.STORED)))) {
      assertThat(zstd.setContinuous(false).readAllBytes()).isEqualTo(expected);
    }
  }

  @Test
  void plainSnapshotIsEncryptedAndDecryptedAgain() throws IOException {
    Snapshot plain = capture(1);
    assertThat(plainFiles()).isNotEmpty();

    assertThat(captures.sealing().reseal(Home.DESK, plain.id(), true, Progress.NONE, () -> false))
        .isTrue();
    assertThat(captures.sealing().reseal(Home.DESK, plain.id(), true, Progress.NONE, () -> false))
        .isFalse();
    assertNoPlaintext();
    restored(snapshots.read(plain.id()));
    assertThat(captures.sealing().reseal(Home.DESK, plain.id(), false, Progress.NONE, () -> false))
        .isTrue();

    Snapshot again = snapshots.read(plain.id());
    assertThat(again.archive().chunks()).isEqualTo(plain.archive().chunks());
    assertThat(again.key()).isNull();
    assertThat(again.spec()).hasToString(plain.spec().toString());
    assertThat(captures.checks().verify(null).unreferencedChunks()).isZero();
  }

  @Test
  void rotationBringsASnapshotUnderTheActiveKey() throws IOException {
    encrypting(true);
    Snapshot snapshot = capture(1);
    keys.activate(2);

    assertThat(
            captures.sealing().reseal(Home.DESK, snapshot.id(), true, Progress.NONE, () -> false))
        .isTrue();
    keys.lose(1);

    Snapshot rotated = snapshots.read(snapshot.id());
    assertThat(rotated.key()).isEqualTo(FixedKeys.id(2));
    restored(rotated);
    assertThat(captures.checks().verify(null).allWell()).isTrue();
    assertThat(captures.checks().verify(null).unreferencedChunks()).isZero();
  }

  @Test
  void lostKeyLocksWhatItEncryptedAndNothingElse() throws IOException {
    Snapshot plain = capture(1);
    encrypting(true);
    Files.writeString(tree.resolve("more"), "x");
    Snapshot sealed = capture(2);
    keys.lose(1);

    Snapshot locked = snapshots.read(sealed.id());
    assertThat(locked.locked()).contains(FixedKeys.id(1).hex()).contains("/the/keys.json");
    assertThat(locked.archive().chunks()).isEqualTo(sealed.archive().chunks());
    assertThatThrownBy(() -> restored(locked))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining(FixedKeys.id(1).hex())
        .hasMessageContaining("/the/keys.json");
    assertThatThrownBy(() -> capture(3)).isInstanceOf(RegenException.Refused.class);
    assertThatThrownBy(() ->
            captures.sealing().reseal(Home.DESK, sealed.id(), false, Progress.NONE, () -> false))
        .isInstanceOf(RegenException.Refused.class);
    assertThatThrownBy(() -> snapshots.write(locked)).isInstanceOf(RegenException.Refused.class);
    assertThat(captures.checks().verify(null).problems())
        .extracting(Verified.Problem::kind, Verified.Problem::snapshot)
        .containsExactly(org.assertj.core.groups.Tuple.tuple(Verified.Kind.LOCKED, sealed.id()));
    assertThat(queues.look(Home.DESK).elements()).hasSize(2);
    captures.removals().sweep();
    captures.removals().remove(Home.DESK, plain.id());
    keys.activate(1);
    restored(snapshots.read(sealed.id()));
  }

  @Test
  void anotherKeyUnderTheSameIdIsToldFromDamage() throws IOException {
    encrypting(true);
    Snapshot sealed = capture(1);
    keys.exchange(1);

    assertThat(snapshots.read(sealed.id()).locked()).contains("is not the");
    assertThatThrownBy(() -> restored(sealed))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining(FixedKeys.id(1).hex())
        .hasMessageContaining("put that one back");
  }

  @Test
  void manifestThatWasTouchedIsDamaged() throws IOException {
    encrypting(true);
    Snapshot sealed = capture(1);
    Path file = snapshots.file(sealed.id());
    String text = Files.readString(file);
    String content = text.substring(text.indexOf("\"content\":") + 10, text.length() - 1);
    String other = content.replace("\"imageName\":\"image\"", "\"imageName\":\"other\"");
    Digest digest = Digest.of(java.nio.ByteBuffer.wrap(other.getBytes(UTF_8)));
    Files.writeString(
        file, "{\"version\":2,\"digest\":\"" + digest + "\",\"content\":" + other + "}");

    assertThatThrownBy(() -> snapshots.read(sealed.id()))
        .isInstanceOf(RegenException.Damaged.class)
        .hasMessageContaining(file.toString());
  }

  @Test
  void captureThatWasBegunBeforeTheQueueEncryptedIsNotKept() throws IOException {
    boolean[] told = {false};
    assertThatThrownBy(() ->
            captures.capture(
                layer(1),
                Home.GOOD,
                Progress.NONE,
                () -> {
                  if (!told[0]) {
                    told[0] = true;
                    tell();
                  }
                  return false;
                }))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining("try again");

    assertThat(queues.look(Home.DESK).elements()).isEmpty();
    assertThat(capture(1).key()).isEqualTo(FixedKeys.id(1));
    assertNoPlaintext();
  }

  @Test
  void queueThatIsMadeAnewFromManifestsEncryptsAsBefore() throws IOException {
    encrypting(true);
    capture(1);
    Files.writeString(queues.file(Home.DESK), "{");

    queues.rebuild(Home.DESK, snapshots).close();

    assertThat(queues.look(Home.DESK).encrypted()).isTrue();
  }

  @Test
  void snapshotThatLeftItsQueueMeanwhileIsNotEncrypted() throws IOException {
    Snapshot snapshot = capture(1);
    boolean[] removed = {false};

    assertThatThrownBy(() ->
            captures
                .sealing()
                .reseal(
                    Home.DESK,
                    snapshot.id(),
                    true,
                    Progress.NONE,
                    () -> {
                      if (!removed[0]) {
                        removed[0] = true;
                        remove(snapshot.id());
                      }
                      return false;
                    }))
        .isInstanceOf(RegenException.NotFound.class);

    assertThat(snapshots.list()).isEmpty();
    assertThat(captures.checks().verify(null).unreferencedChunks()).isZero();
  }

  private void tell() {
    try {
      encrypting(true);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private void remove(SnapshotId id) {
    try {
      captures.removals().remove(Home.DESK, id);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private void fillTree() throws IOException {
    Random random = new Random(SEED);
    for (int i = 0; i < 100; i++) {
      Path file = tree.resolve(MARKER + "-" + i);
      byte[] noise = new byte[random.nextInt(20_000)];
      random.nextBytes(noise);
      Files.writeString(file, MARKER.repeat(1 + i % 3));
      Files.write(file, noise, java.nio.file.StandardOpenOption.APPEND);
    }
    byte[] large = new byte[3 << 20];
    random.nextBytes(large);
    Files.write(tree.resolve("large"), large);
  }

  private void encrypting(boolean on) throws IOException {
    try (SnapshotQueue queue = queues.openOrCreate(Home.DESK, 5)) {
      queue.encrypt(on);
    }
  }

  private Snapshot capture(int number) throws IOException {
    CaptureResult result = captures.capture(layer(number), Home.GOOD, Progress.NONE, () -> false);
    assertThat(result).isInstanceOf(CaptureResult.Stored.class);
    return ((CaptureResult.Stored) result).snapshot();
  }

  private dev.regen.runtime.oci.FrozenLayer layer(int number) {
    return Home.layer(Home.DESK, number, 5, tree.toString());
  }

  private void restored(Snapshot snapshot) throws IOException {
    Path target = directory.resolve("restored-" + SnapshotId.random());
    new LayerRestorer(new ChunkReader(chunks, keys), 2)
        .restore(snapshot.archive(), target, List.of(), List.of(), Progress.NONE);
    try (Stream<Path> files = Files.list(tree)) {
      for (Path file : files.toList()) {
        assertThat(target.resolve(file.getFileName())).hasSameBinaryContentAs(file);
      }
    }
  }

  private byte[] exported(Snapshot snapshot, LayerExport.Form form) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    new LayerExport(new ChunkReader(chunks, keys)).write(snapshot.archive(), form, out);
    return out.toByteArray();
  }

  private static long shared(Snapshot one, Snapshot other) {
    Set<Chunk> both = new HashSet<>(one.archive().chunks());
    both.retainAll(new HashSet<>(other.archive().chunks()));
    return both.size();
  }

  private static List<Integer> lengths(Snapshot snapshot) {
    return snapshot.archive().chunks().stream().map(Chunk::tarBytes).toList();
  }

  private void assertNoPlaintext() throws IOException {
    assertThat(plainFiles()).isEmpty();
  }

  /** Files of the home in which a name, content or setting of the container can be found. */
  private List<Path> plainFiles() throws IOException {
    try (Stream<Path> files = Files.walk(home)) {
      return files.filter(Files::isRegularFile).filter(EncryptedQueueTest::isPlain).toList();
    }
  }

  private static boolean isPlain(Path file) {
    try {
      byte[] bytes = Files.readAllBytes(file);
      String text = new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1);
      boolean frame = bytes.length > 3 && text.startsWith("(\u00B5/\u00FD");
      return frame
          || text.contains(MARKER)
          || text.contains("desk-1")
          || text.contains("a volume at /data");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
