package dev.regen.agent.storage;

import static dev.regen.snapshot.remote.RemoteStoreContract.bytes;
import static dev.regen.snapshot.remote.RemoteStoreContract.digest;
import static dev.regen.snapshot.remote.RemoteStoreContract.name;
import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.remote.HttpStore;
import dev.regen.snapshot.remote.Parallel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code kill -9} in the middle of many puts, which go together, several times. */
final class StorageServerKilledTest {
  private static final int KILLS = 3;
  private static final int WRITERS = 32;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  private final Set<Digest> answered = ConcurrentHashMap.newKeySet();
  private final AtomicLong seeds = new AtomicLong();

  @Test
  void eachChunkIsWholeOrAbsentAndWhatWasAnsweredIsThere() throws Exception {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int i = 0; i < KILLS; i++) {
      putUntilKilled(300 + random.nextInt(700));
      for (Path file : StorageProcess.chunkFiles(directory)) {
        assertThat(sha256(file)).as("seed %d", seed).isEqualTo(file.getFileName().toString());
      }
    }

    try (StorageProcess server = StorageProcess.start(directory);
        HttpStore client = server.client()) {
      assertThat(answered).as("seed %d", seed).isNotEmpty();
      assertThat(client.missing(answered)).as("seed %d", seed).isEmpty();
      // Small ones share files, whose names say nothing of their bytes: each is read and compared.
      Parallel.run(answered, client::get);
      assertThat(directory.resolve("chunks/tmp")).isEmptyDirectory();
    }
  }

  private void putUntilKilled(int millis) throws Exception {
    try (StorageProcess server = StorageProcess.start(directory);
        HttpStore client = server.client();
        ExecutorService writers = Executors.newFixedThreadPool(WRITERS)) {
      for (int i = 0; i < WRITERS; i++) {
        writers.execute(() -> putUntilItFails(client));
      }
      Thread.sleep(millis);
      server.kill();
    }
  }

  private void putUntilItFails(HttpStore client) {
    try {
      while (true) {
        long seed = seeds.incrementAndGet();
        byte[] bytes = bytes(seed, 1 + (int) (seed * 7919 % 400_000));
        client.put(name(digest(bytes), bytes.length), ByteBuffer.wrap(bytes));
        answered.add(digest(bytes));
      }
    } catch (IOException e) {
      // The server is dead.
    }
  }

  private static String sha256(Path file) throws Exception {
    return HexFormat.of()
        .formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
  }
}
