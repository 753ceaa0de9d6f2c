package dev.regen.agent.storage;

import static dev.regen.snapshot.remote.RemoteStoreContract.bytes;
import static dev.regen.snapshot.remote.RemoteStoreContract.digest;
import static dev.regen.snapshot.remote.RemoteStoreContract.name;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.HttpStore;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A server on a file system of four mebibytes. */
final class StorageServerFullDiskTest {
  private static final int PUTS_MAX = 100;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @SuppressWarnings("NullAway.Init")
  private Path small;

  @BeforeEach
  void mount() throws Exception {
    small = Files.createDirectory(directory.resolve("small"));
    assumeTrue(
        run("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", small.toString()),
        "mounting a tmpfs needs root");
  }

  @AfterEach
  void unmount() throws Exception {
    run("umount", small.toString());
  }

  @Test
  void putsAreRefusedAndWhatWasAnsweredStaysWhole() throws Exception {
    List<Digest> answered = new ArrayList<>();
    try (StorageProcess server = StorageProcess.start(small.resolve("store"));
        HttpStore client = server.client()) {
      assertThatThrownBy(() -> fill(client, answered))
          .isInstanceOf(RegenException.Refused.class)
          .hasMessageContaining("507");
      byte[] record = bytes(-1, 300_000);
      assertThatThrownBy(() -> client.replaceRecord("r", record, null))
          .isInstanceOf(RegenException.Refused.class);
      assertThat(client.records("")).isEmpty();
      assertThat(small.resolve("store/chunks/tmp")).isEmptyDirectory();
      server.kill();
    }

    assertThat(answered).hasSizeGreaterThan(5);
    try (StorageProcess server = StorageProcess.start(small.resolve("store"));
        HttpStore client = server.client()) {
      List<Digest> listed = new ArrayList<>();
      client.list(listed::add);
      assertThat(listed).containsExactlyInAnyOrderElementsOf(answered);
      for (Path file : StorageProcess.chunkFiles(small.resolve("store"))) {
        Digest digest = digest(Files.readAllBytes(file));
        assertThat(file.getFileName()).hasToString(digest.hex());
      }
    }
  }

  private static void fill(HttpStore client, List<Digest> answered) throws Exception {
    for (int i = 0; i < PUTS_MAX; i++) {
      byte[] bytes = bytes(i, 300_000);
      client.put(name(digest(bytes), bytes.length), ByteBuffer.wrap(bytes));
      answered.add(digest(bytes));
    }
  }

  private static boolean run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
  }
}
