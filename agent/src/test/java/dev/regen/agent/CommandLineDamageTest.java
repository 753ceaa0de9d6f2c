package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.oci.Spool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Damaged chunks and queues, as they are found and mended from the command line. */
final class CommandLineDamageTest extends AgentWithoutEngine {
  @Test
  void damagedChunkIsFoundByVerify() throws IOException, InterruptedException {
    spool("desk", NINE, "one");
    awaitIdle();
    Result whole = regen("verify");
    assertThat(whole.code()).isZero();
    Path pack;
    try (var files = Files.walk(directory.resolve("home/chunks/packs"))) {
      pack = files.filter(Files::isRegularFile).findFirst().orElseThrow();
    }
    byte[] bytes = Files.readAllBytes(pack);
    bytes[20] ^= 1;
    Files.write(pack, bytes);

    Result result = regen("verify", "desk");

    assertThat(result.code()).isEqualTo(1);
    assertThat(result.out()).contains("1 damaged").contains("desk@");
    String counted = whole.out().substring(0, whole.out().indexOf(':'));
    assertThat(result.out()).as("what is damaged is counted too").startsWith(counted);
  }

  @Test
  void damagedQueueIsMendedByRepair() throws IOException, InterruptedException {
    spool("desk", NINE, "one");
    awaitIdle();
    Files.writeString(directory.resolve("home/queues/desk/queue.json"), "{");
    assertThat(regen("ls", "desk").code()).isEqualTo(1);
    assertThat(array(regen("ls", "--json")).getFirst().string("state")).isEqualTo("damaged");

    assertThat(regen("verify", "--repair").code()).isZero();

    assertThat(array(regen("ls", "desk", "--json"))).hasSize(1);
  }

  @Test
  void layerWhoseTreeCannotBeReadStaysAndIsListedAsFailed()
      throws IOException, InterruptedException {
    Path home = directory.resolve("home");
    Files.createDirectories(home.resolve("queues/desk"));
    Files.writeString(home.resolve("queues/desk/queue.json"), "{");
    spool("desk", NINE, "one");
    Thread.sleep(1500);

    assertThat(new Spool(new LocalDisk(), home.resolve("spool")).list()).hasSize(1);
    assertThat(array(regen("events", "desk", "--json")).getLast().string("kind"))
        .isEqualTo("failed");
    assertThat(regen("verify", "--repair", "desk").code()).isZero();
    awaitIdle();
    assertThat(array(regen("ls", "desk", "--json"))).hasSize(1);
  }
}
