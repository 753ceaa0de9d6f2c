package dev.regen.snapshot.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every remote store promises. */
public abstract class RemoteStoreContract {
  @SuppressWarnings("NullAway.Init")
  private RemoteStore store;

  /** An empty store without quota; it is closed after the test. */
  protected abstract RemoteStore open() throws Exception;

  @BeforeEach
  final void openStore() throws Exception {
    store = open();
  }

  @AfterEach
  final void closeStore() throws IOException {
    store.close();
  }

  @Test
  final void aRecordThatIsLongerThanItsKindIsDamaged() throws IOException {
    assertThat(store.replaceRecord("r", new byte[1000], null)).isTrue();
    assertThat(store.record("r", 1000)).hasValue(new byte[1000]);
    assertThatThrownBy(() -> store.record("r", 999)).isInstanceOf(RegenException.Damaged.class);
    assertThat(store.record("none", 999)).isEmpty();
  }

  @Test
  final void whatWasPutIsNoLongerMissingAndComesBack() throws IOException {
    byte[] one = bytes(1, 100_000);
    byte[] other = bytes(2, 1);
    assertThat(store.missing(List.of(digest(one), digest(other)))).hasSize(2);

    put(one);

    assertThat(store.missing(List.of(digest(one), digest(other)))).containsExactly(digest(other));
    assertThat(store.get(digest(one), one.length)).isEqualTo(one);
    put(one);
  }

  @Test
  final void manyAtOnceComeIntoMemoryOfTheirReaders() throws Exception {
    List<Future<byte[]>> readers = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(30)) {
      for (int i = 0; i < 30; i++) {
        byte[] bytes = bytes(4000 + i, 1 + i * i * 100);
        put(bytes);
        readers.add(
            threads.submit(() -> {
              byte[] memory = new byte[100_000];
              store.get(digest(bytes), bytes.length, memory);
              return memory;
            }));
      }
    }
    for (int i = 0; i < 30; i++) {
      byte[] expected = Arrays.copyOf(bytes(4000 + i, 1 + i * i * 100), 100_000);
      assertThat(readers.get(i).get()).as("chunk %d", i).isEqualTo(expected);
    }
  }

  @Test
  final void theLongestChunkFits() throws IOException {
    byte[] bytes = bytes(3, Chunk.STORED_BYTES_MAX);
    put(bytes);
    assertThat(store.get(digest(bytes), bytes.length)).isEqualTo(bytes);
  }

  @Test
  final void aSliceOfADirectBufferIsReadToItsLimit() throws IOException {
    byte[] bytes = bytes(4, 5000);
    ByteBuffer direct = ByteBuffer.allocateDirect(6000).position(100).put(bytes).flip();
    direct.position(100);

    store.put(name(digest(bytes), bytes.length), direct);

    assertThat(direct.hasRemaining()).isFalse();
    assertThat(store.get(digest(bytes), bytes.length)).isEqualTo(bytes);
  }

  @Test
  final void partOfAChunkComesBackAlone() throws IOException {
    byte[] bytes = bytes(5, 10_000);
    put(bytes);
    assertThat(store.get(digest(bytes), 9_000, 1_000))
        .isEqualTo(Arrays.copyOfRange(bytes, 9_000, 10_000));
    assertThatThrownBy(() -> store.get(digest(bytes), 9_000, 1_001))
        .isInstanceOf(RegenException.BadInput.class);
    assertThatThrownBy(() -> store.get(digest(bytes), 10_000, 1))
        .isInstanceOf(RegenException.BadInput.class);
  }

  @Test
  final void bytesOfAnotherDigestAreRefusedAndNotStored() throws IOException {
    byte[] bytes = bytes(6, 1000);
    Digest other = digest(bytes(7, 1000));
    assertThatThrownBy(() -> store.put(name(other, bytes.length), ByteBuffer.wrap(bytes)))
        .isInstanceOf(RegenException.BadInput.class);
    assertThat(store.missing(Set.of(other, digest(bytes)))).hasSize(2);
  }

  @Test
  final void whatIsNotThereIsNotFound() {
    Digest digest = digest(bytes(8, 10));
    assertThatThrownBy(() -> store.get(digest, 10)).isInstanceOf(RegenException.NotFound.class);
    assertThatThrownBy(() -> store.get(digest, 10, new byte[10]))
        .isInstanceOf(RegenException.NotFound.class);
    assertThatThrownBy(() -> store.get(digest, 0, 1)).isInstanceOf(RegenException.NotFound.class);
  }

  @Test
  final void aChunkOfAnotherLengthIsDamaged() throws IOException {
    byte[] bytes = bytes(9, 100);
    put(bytes);
    assertThatThrownBy(() -> store.get(digest(bytes), 101))
        .isInstanceOf(RegenException.Damaged.class);
  }

  @Test
  final void whatWasAskedAboutIsNotDeletedMeanwhile() throws IOException {
    byte[] bytes = bytes(10, 100);
    put(bytes);
    store.missing(Set.of(digest(bytes)));
    assertThatThrownBy(() -> store.delete(digest(bytes)))
        .isInstanceOf(RegenException.Refused.class);
    assertThat(store.get(digest(bytes), 100)).isEqualTo(bytes);
  }

  @Test
  final void everyChunkIsListedOnceInOrder() throws IOException {
    Set<String> put = new TreeSet<>();
    for (int i = 0; i < 300; i++) {
      byte[] bytes = bytes(1000 + i, 10);
      put(bytes);
      put.add(digest(bytes).hex());
    }
    List<String> listed = new ArrayList<>();
    store.list(digest -> listed.add(digest.hex()));
    assertThat(listed).containsExactlyElementsOf(put);
  }

  @Test
  final void aQuestionMayNameMoreThanFitsInOneCall() throws IOException {
    List<Digest> digests = new ArrayList<>();
    for (int i = 0; i < RemoteStore.DIGESTS_MAX + 1; i++) {
      digests.add(digest(Integer.toString(i).getBytes(StandardCharsets.US_ASCII)));
    }
    assertThat(store.missing(digests)).containsExactlyInAnyOrderElementsOf(digests);
  }

  @Test
  final void aRecordIsReplacedOnlyWhereItsTagFits() throws IOException {
    String name = "queues/Desk_1/snapshots/0a";
    byte[] first = bytes(11, 10);
    byte[] second = bytes(12, 0);
    assertThat(store.record(name)).isEmpty();
    assertThat(store.replaceRecord(name, first, RemoteStore.tag(first))).isFalse();
    assertThat(store.replaceRecord(name, first, RemoteStore.ABSENT)).isTrue();
    assertThat(store.replaceRecord(name, second, RemoteStore.ABSENT)).isFalse();
    assertThat(store.replaceRecord(name, second, RemoteStore.tag(second))).isFalse();
    assertThat(store.record(name)).get().isEqualTo(first);
    assertThat(store.replaceRecord(name, second, RemoteStore.tag(first))).isTrue();
    assertThat(store.replaceRecord(name, first, null)).isTrue();
    assertThat(store.record(name)).get().isEqualTo(first);
  }

  @Test
  final void recordsAreListedByPrefixAndDeleted() throws IOException {
    for (String name : List.of("a", "a/b", "a/c.json", "b")) {
      assertThat(store.replaceRecord(name, new byte[1], null)).isTrue();
    }
    assertThat(store.records("a")).containsExactly("a", "a/b", "a/c.json");
    assertThat(store.records("")).hasSize(4);

    store.deleteRecord("a/b");
    store.deleteRecord("a/b");

    assertThat(store.records("a/")).containsExactly("a/c.json");
  }

  @Test
  final void namesThatLeadElsewhereAreRefused() {
    for (String name :
        List.of(
            "..",
            "../x",
            "a/../../x",
            "/x",
            "a//b",
            "a/",
            ".tmp-x",
            "a/.b",
            "a+b",
            "a\0b",
            "%2e%2e/x",
            "ä",
            "a b",
            "a\\b",
            "a".repeat(256))) {
      assertThatThrownBy(() -> store.record(name))
          .as(name)
          .isInstanceOf(RegenException.BadInput.class);
      assertThatThrownBy(() -> store.replaceRecord(name, new byte[1], null))
          .as(name)
          .isInstanceOf(RegenException.BadInput.class);
      assertThatThrownBy(() -> store.deleteRecord(name))
          .as(name)
          .isInstanceOf(RegenException.BadInput.class);
    }
  }

  @Test
  final void ofWritersOfOneRecordAtOnceOneWins() throws Exception {
    List<Future<Boolean>> writers = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      for (int i = 0; i < 8; i++) {
        byte[] content = {(byte) i};
        writers.add(threads.submit(() -> store.replaceRecord("race", content, RemoteStore.ABSENT)));
      }
    }
    List<Boolean> won = new ArrayList<>();
    for (Future<Boolean> writer : writers) {
      won.add(writer.get());
    }
    assertThat(Collections.frequency(won, true)).isEqualTo(1);
  }

  @Test
  final void writersOfTheSameChunksAtOnceAllFindThemStored() throws Exception {
    List<Future<?>> writers = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      for (int writer = 0; writer < 8; writer++) {
        writers.add(
            threads.submit(() -> {
              for (int i = 0; i < 40; i++) {
                byte[] bytes = bytes(2000 + i, 3000);
                put(bytes);
                assertThat(store.get(digest(bytes), 3000)).isEqualTo(bytes);
              }
              return null;
            }));
      }
    }
    for (Future<?> writer : writers) {
      writer.get();
    }
    Set<Digest> listed = new HashSet<>();
    store.list(listed::add);
    assertThat(listed).hasSize(40);
  }

  private void put(byte[] bytes) throws IOException {
    store.put(name(digest(bytes), bytes.length), ByteBuffer.wrap(bytes));
  }

  /** A name for a chunk of no particular layer. */
  public static ChunkName name(Digest digest, int size) {
    return new ChunkName("desk", "0123456789abcdef", 7, digest, size);
  }

  /** Bytes that differ for each seed. */
  public static byte[] bytes(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  /** Their digest. */
  public static Digest digest(byte[] bytes) {
    return Digest.of(ByteBuffer.wrap(bytes));
  }
}
