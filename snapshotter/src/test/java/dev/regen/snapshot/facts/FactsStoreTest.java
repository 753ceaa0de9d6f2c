package dev.regen.snapshot.facts;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Facts that are damaged, of something else, or of before: none, and never an error. */
final class FactsStoreTest {
  private static final SnapshotId ID = new SnapshotId("a".repeat(32));

  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init")
  private SnapshotStore snapshots;

  @SuppressWarnings("NullAway.Init")
  private FactsStore facts;

  @BeforeEach
  void open() throws IOException {
    snapshots = new SnapshotStore(directory);
    facts = new FactsStore(new LocalDisk(), snapshots);
  }

  @Test
  void setsOfSeveralTreesAreKeptNewestFirst() {
    for (int tree = 1; tree <= 5; tree++) {
      facts.add(ID, archive("x"), set(tree));
    }
    facts.add(ID, archive("x"), set(4));

    FactsStore.Noted noted = facts.of(ID).orElseThrow();

    assertThat(noted.archive()).isEqualTo(FactsStore.digest(archive("x")));
    assertThat(noted.sets()).containsExactly(set(4), set(5), set(3));
  }

  @Test
  void factsOfAnArchiveThatWasReplacedAreForgotten() {
    facts.add(ID, archive("x"), set(1));
    facts.add(ID, archive("y"), set(2));

    assertThat(facts.of(ID).orElseThrow().sets()).containsExactly(set(2));
  }

  @Test
  void damagedFileIsNoFactsAndIsReplaced() throws IOException {
    facts.add(ID, archive("x"), set(1));
    Path file = snapshots.factsFile(ID);
    byte[] whole = Files.readAllBytes(file);
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (int round = 0; round < 300; round++) {
      byte[] damaged = whole.clone();
      damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
      Files.write(file, round % 3 == 0 ? java.util.Arrays.copyOf(whole, round / 3) : damaged);
      assertThat(facts.of(ID)).as("seed %d", seed).isEmpty();
    }

    facts.add(ID, archive("x"), set(2));

    assertThat(facts.of(ID).orElseThrow().sets()).containsExactly(set(2));
  }

  @Test
  void factsOfAnotherBootAreNone() throws IOException {
    byte[] old =
        new ArchiveFacts("another-boot", FactsStore.digest(archive("x")), List.of(set(1)))
            .encoded();
    Files.write(snapshots.factsFile(ID), old);

    assertThat(facts.of(ID)).isEmpty();

    facts.add(ID, archive("x"), set(2));
    assertThat(facts.of(ID).orElseThrow().sets()).containsExactly(set(2));
  }

  @Test
  void factsGoWithTheirManifest() throws IOException {
    facts.add(ID, archive("x"), set(1));
    snapshots.remove(ID);
    assertThat(snapshots.factsFile(ID)).doesNotExist();

    facts.add(ID, archive("x"), set(1));
    snapshots.sweep();
    assertThat(snapshots.factsFile(ID)).doesNotExist();
  }

  private static List<GroupFact> set(int tree) {
    return List.of(
        new GroupFact(new GroupKey(tree, 2, 3, 4), 0, 5, 100, 10, 0, 1),
        new GroupFact(new GroupKey(tree, 2, 3, 5), 0, 105, 100, 10, 1, 3));
  }

  private static Archive archive(String name) {
    Digest digest = Digest.of(ByteBuffer.wrap(name.getBytes(StandardCharsets.UTF_8)));
    List<Chunk> chunks = List.of(new Chunk(digest, 10, 1024));
    return new Archive(chunks, chunks, 1, 1024, 20, 20, List.of(), 0);
  }
}
