package dev.regen.snapshot.remote.s3;

import static dev.regen.snapshot.remote.RemoteStoreContract.bytes;
import static dev.regen.snapshot.remote.RemoteStoreContract.digest;
import static dev.regen.snapshot.remote.RemoteStoreContract.name;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Chunks go only when nobody can count on them any more, and packs give their room back. */
final class S3StoreDeletionTest {
  private static final int CHUNK = 10_000;
  private static final Duration LEASE = Duration.ofSeconds(1);

  @SuppressWarnings("NullAway.Init")
  private Service service;

  @BeforeEach
  void start(@TempDir Path directory) throws Exception {
    service = new Service(directory);
  }

  @AfterEach
  void stop() {
    service.close();
  }

  @Test
  void whatLivesOfAPackMovesAndTheRestGoes() throws Exception {
    onePack(10);
    try (S3Store reader = service.store("p/", LEASE)) {
      assertThat(reader.get(digest(chunk(9)), CHUNK)).isEqualTo(chunk(9));
      try (S3Store store = service.store("p/", LEASE)) {
        assertThat(store.delete(digests(0, 6))).hasSize(6);
        assertThat(store.missing(digests(0, 10))).hasSize(6);
        assertThat(store.get(digest(chunk(0)), CHUNK)).isEqualTo(chunk(0));
      }
      pass(LEASE);
      try (S3Store store = service.store("p/", LEASE)) {
        assertThat(store.delete(digests(0, 6))).isEmpty();

        assertThat(listed(store)).containsExactlyInAnyOrderElementsOf(digests(6, 4));
        assertThatThrownBy(() -> store.get(digest(chunk(0)), CHUNK))
            .isInstanceOf(RegenException.NotFound.class);
      }
      assertThat(bytesOf("packs")).isBetween(4L * CHUNK, 4L * CHUNK + 1000);
      assertThat(bytesOf("marked") + bytesOf("removed")).isZero();
      // It knows the old pack only.
      assertThat(reader.get(digest(chunk(9)), CHUNK)).isEqualTo(chunk(9));
    }
  }

  @Test
  void aPackOfWhichHalfLivesStaysAndWhatWasRemovedIsMissing() throws Exception {
    onePack(10);
    try (S3Store store = service.store("p/", LEASE)) {
      store.delete(digests(0, 5));
    }
    pass(LEASE);
    try (S3Store store = service.store("p/", LEASE)) {
      assertThat(store.delete(digests(0, 5))).isEmpty();
    }
    try (S3Store store = service.store("p/", LEASE)) {
      assertThat(store.missing(digests(0, 10))).hasSize(5);
      assertThatThrownBy(() -> store.get(digest(chunk(0)), CHUNK))
          .isInstanceOf(RegenException.NotFound.class);
      assertThat(bytesOf("packs")).isGreaterThan(10L * CHUNK);
      put(store, 0);
      assertThat(store.get(digest(chunk(0)), CHUNK)).isEqualTo(chunk(0));
    }
  }

  /** A service may list what somebody is still writing, under a name of its own. */
  @Test
  void whatStandsThereUnderAnotherNameIsNoPlace() throws Exception {
    onePack(2);
    for (String prefix : List.of("marked", "removed")) {
      Path directory = Files.createDirectories(service.bucketDirectory().resolve("p/" + prefix));
      Files.writeString(directory.resolve("0".repeat(64) + "-being-written"), "half");
    }

    try (S3Store store = service.store("p/", LEASE)) {
      assertThat(store.missing(digests(0, 2))).isEmpty();
      assertThat(store.get(digest(chunk(0)), CHUNK)).isEqualTo(chunk(0));
    }
  }

  @Test
  void whoUsedTheStoreBeforeTheMarkKeepsItsChunks() throws Exception {
    onePack(4);
    try (S3Store user = service.store("p/", LEASE)) {
      assertThat(user.missing(digests(0, 4))).isEmpty();
      try (S3Store store = service.store("p/", LEASE)) {
        store.delete(digests(0, 4));
      }
      for (int i = 0; i < 8; i++) {
        Thread.sleep(500);
        user.get(digest(chunk(0)), CHUNK);
      }
      try (S3Store store = service.store("p/", LEASE)) {
        assertThat(store.delete(digests(0, 4))).hasSize(4);
      }
      assertThat(user.get(digest(chunk(3)), CHUNK)).isEqualTo(chunk(3));
    }
    try (S3Store store = service.store("p/", LEASE)) {
      assertThat(store.delete(digests(0, 4))).isEmpty();
      assertThat(bytesOf("packs")).isZero();
    }
  }

  @Test
  void whoUsesTheStoreForEverHoldsUpOnlyWhatHeCountsOnFromBefore() throws Exception {
    onePack(4);
    try (S3Store user = service.store("p/", LEASE);
        S3Store store = service.store("p/", LEASE)) {
      assertThat(user.missing(digests(0, 4))).isEmpty();
      store.delete(digests(0, 4));
      pass(LEASE);
      Closeable before = user.turn();
      assertThat(user.missing(digests(0, 4))).hasSize(4);

      assertThat(store.delete(digests(0, 4))).hasSize(4);
      before.close();

      assertThat(store.delete(digests(0, 4))).isEmpty();
    }
  }

  @Test
  void whatIsSentAgainAfterTheMarkStays() throws Exception {
    onePack(4);
    try (S3Store store = service.store("p/", LEASE)) {
      store.delete(digests(0, 4));
    }
    try (S3Store user = service.store("p/", LEASE)) {
      assertThat(user.missing(digests(0, 1))).hasSize(1);
      put(user, 0);
    }
    pass(LEASE);
    try (S3Store store = service.store("p/", LEASE)) {
      // The new copy is only marked.
      assertThat(store.delete(digests(0, 4))).containsExactlyElementsOf(digests(0, 1));
      assertThat(store.get(digest(chunk(0)), CHUNK)).isEqualTo(chunk(0));
      assertThatThrownBy(() -> store.get(digest(chunk(1)), CHUNK))
          .isInstanceOf(RegenException.NotFound.class);
    }
  }

  @Test
  void aPackWithDamageAmongWhatLivesIsLeftAsItIs() throws Exception {
    onePack(10);
    Path pack = files("packs").getFirst();
    byte[] bytes = Files.readAllBytes(pack);
    List<Digest> all;
    try (S3Store store = service.store("p/", LEASE)) {
      all = digests(0, 10);
      store.delete(all.subList(0, 9));
    }
    for (int offset = 0; offset < 10 * CHUNK; offset += CHUNK) {
      bytes[offset] ^= 1;
    }
    Files.write(pack, bytes);
    pass(LEASE);
    try (S3Store store = service.store("p/", LEASE)) {
      store.delete(all.subList(0, 9));
      assertThat(files("packs")).containsExactly(pack);
    }
  }

  private void onePack(int chunks) throws Exception {
    try (S3Store store = service.store("p/", LEASE)) {
      store.missing(Set.of());
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < chunks; i++) {
        int seed = i;
        threads.add(
            Thread.ofVirtual()
                .start(() -> {
                  try {
                    put(store, seed);
                  } catch (IOException e) {
                    throw new IllegalStateException(e);
                  }
                }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(store.missing(digests(0, chunks))).isEmpty();
    }
    assertThat(files("packs")).hasSize(1);
  }

  private static void pass(Duration time) throws InterruptedException {
    // Times in a list have whole seconds.
    Thread.sleep(time.plusSeconds(2));
  }

  private static void put(S3Store store, int seed) throws IOException {
    byte[] chunk = chunk(seed);
    store.put(name(digest(chunk), CHUNK), ByteBuffer.wrap(chunk));
  }

  private static byte[] chunk(int seed) {
    return bytes(seed, CHUNK);
  }

  private static List<Digest> digests(int from, int count) {
    return Stream.iterate(from, i -> i + 1).limit(count).map(i -> digest(chunk(i))).toList();
  }

  private static List<Digest> listed(S3Store store) throws IOException {
    List<Digest> all = new ArrayList<>();
    store.list(all::add);
    return all;
  }

  private long bytesOf(String part) throws IOException {
    long bytes = 0;
    for (Path file : files(part)) {
      bytes += Files.size(file);
    }
    return bytes;
  }

  private List<Path> files(String part) throws IOException {
    Path directory = service.bucketDirectory().resolve("p/" + part);
    if (!Files.exists(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }
}
