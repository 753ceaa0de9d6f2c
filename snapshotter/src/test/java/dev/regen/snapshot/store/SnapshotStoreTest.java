package dev.regen.snapshot.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.End;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.crypt.Keys;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SnapshotStoreTest {
  private static final Chunk ZEROS = new Chunk(new Digest("0".repeat(64)), 300, 8 << 20);
  private static final Chunk OTHER = new Chunk(new Digest("f".repeat(64)), 7, 9);

  @TempDir Path directory;
  private SnapshotStore store;

  @BeforeEach
  void openStore() throws Exception {
    store = new SnapshotStore(directory.resolve("snapshots"));
  }

  @Test
  void aManifestIsReadAsItWasWritten() throws Exception {
    Snapshot snapshot = snapshot(List.of(OTHER, ZEROS, ZEROS, OTHER), "image \u00e4\u0000\"");

    store.write(snapshot);

    assertThat(store.read(snapshot.id()))
        .usingRecursiveComparison()
        .ignoringFields("spec")
        .isEqualTo(snapshot);
    assertThat(store.read(snapshot.id()).spec()).hasToString(snapshot.spec().toString());
    assertThat(store.list()).containsExactly(snapshot.id());
  }

  @Test
  void aTerabyteOfZerosTakesAFewHundredBytes() throws Exception {
    List<Chunk> chunks = new ArrayList<>(Collections.nCopies(131_072, ZEROS));
    chunks.addFirst(OTHER);
    Snapshot snapshot = snapshot(chunks, "image");

    store.write(snapshot);

    assertThat(Files.size(store.file(snapshot.id()))).isLessThan(2000);
    assertThat(store.read(snapshot.id()).archive()).isEqualTo(snapshot.archive());
  }

  @Test
  void manyDifferentChunksAreReadAgain() throws Exception {
    List<Chunk> chunks = new ArrayList<>();
    for (int i = 0; i < 150_000; i++) {
      chunks.add(new Chunk(new Digest("%064x".formatted(i)), 1 + i, 8 << 20));
    }
    Snapshot snapshot = snapshot(chunks, "image");

    store.write(snapshot);

    assertThat(store.read(snapshot.id()).archive()).isEqualTo(snapshot.archive());
  }

  @Test
  void everyFlippedByteIsNoticed() throws Exception {
    Snapshot snapshot = snapshot(List.of(OTHER, ZEROS, ZEROS), "image");
    store.write(snapshot);
    byte[] good = Files.readAllBytes(store.file(snapshot.id()));
    for (int i = 0; i < good.length; i++) {
      byte[] bad = good.clone();
      bad[i] ^= 1;
      Files.write(store.file(snapshot.id()), bad);
      assertThatThrownBy(() -> store.read(snapshot.id()))
          .as("byte %d", i)
          .isInstanceOf(RegenException.class)
          .hasMessageContaining(store.file(snapshot.id()).toString());
    }
  }

  @Test
  void aManifestThatGoesBeyondALimitIsDamaged() throws Exception {
    Snapshot snapshot = snapshot(List.of(ZEROS, ZEROS), "image");
    store.write(snapshot);
    JsonObject content = ManifestCodec.encode(snapshot, Keys.NONE);
    JsonObject archive = content.object("archive");
    for (String chunk :
        List.of(
            "0".repeat(64) + ":300:8388608*2000001",
            "0".repeat(64) + ":300:8388608*999999999",
            "0".repeat(64) + ":300:8388609",
            "0".repeat(64) + ":0:1",
            "0".repeat(64) + ":300:1*0",
            "rubbish")) {
      archive.with("chunks", List.of(chunk));
      Files.write(store.file(snapshot.id()), SealedRecord.seal(1, content));
      assertThatThrownBy(() -> store.read(snapshot.id()))
          .as(chunk)
          .isInstanceOf(RegenException.Damaged.class);
    }
  }

  @Test
  void whatCouldNotBeReadAgainIsNotWritten() {
    JsonObject deep = new JsonObject();
    for (int i = 0; i < JsonObject.DEPTH_MAX; i++) {
      deep = new JsonObject().with("a", deep);
    }
    Snapshot good = snapshot(List.of(OTHER), "image");
    Snapshot tooDeep =
        new Snapshot(
            good.id(),
            good.queue(),
            good.time(),
            good.end(),
            good.container(),
            good.imageId(),
            good.imageName(),
            good.archive(),
            good.notHeld(),
            deep);
    Snapshot tooLong = snapshot(List.of(OTHER), "x".repeat(SnapshotStore.TEXT_CHARACTERS_MAX + 1));

    assertThatThrownBy(() -> store.write(tooDeep)).isInstanceOf(RegenException.BadInput.class);
    assertThatThrownBy(() -> store.write(tooLong)).isInstanceOf(RegenException.BadInput.class);
    assertThat(directory.resolve("snapshots")).isEmptyDirectory();
  }

  @Test
  void aManifestUnderAnotherIdIsDamaged() throws Exception {
    Snapshot one = snapshot(List.of(OTHER), "image");
    SnapshotId other = SnapshotId.random();
    store.write(one);
    Files.copy(store.file(one.id()), store.file(other));

    assertThatThrownBy(() -> store.read(other)).isInstanceOf(RegenException.Damaged.class);
    assertThatThrownBy(() -> store.read(SnapshotId.random()))
        .isInstanceOf(RegenException.NotFound.class);
  }

  private static Snapshot snapshot(List<Chunk> chunks, String image) {
    return new Snapshot(
        SnapshotId.random(),
        new QueueName("desk"),
        Instant.parse("2026-11-22T09:00:00.123Z"),
        new End(End.Reason.OOM, null, End.Good.UNKNOWN, null),
        "c".repeat(64),
        "sha256:image",
        image,
        new Archive(chunks, List.of(OTHER), 3, 4, 5, 6, List.of("a socket /run/s"), 7),
        List.of("a volume at /data"),
        new JsonObject().with("Env", List.of("A=B")).with("Memory", 1.5).with("Tty", true));
  }
}
