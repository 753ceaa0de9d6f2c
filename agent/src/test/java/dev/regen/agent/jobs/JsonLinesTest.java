package dev.regen.agent.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.FaultyDisk;
import dev.regen.runtime.durable.PowerCuts;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Lines over power cuts, in a file that is torn, and in one that becomes too long. */
final class JsonLinesTest {
  private static final Path HOME = Path.of("/home");
  private static final Path FILE = HOME.resolve("a.jsonl");

  @Test
  void forcedLinesAreThereWhereverThePowerIsCut() throws Exception {
    List<Long> told = new ArrayList<>();
    PowerCuts.everywhere(
        disk -> {
          new Records(disk).makeDirectory(HOME);
          told.clear();
        },
        disk -> {
          JsonLines lines = lines(disk, 60);
          for (int i = 0; i < 4; i++) {
            told.add(lines.append(new JsonObject().with("n", i)));
          }
        },
        (disk, finished) -> {
          List<Long> newest = told.subList(Math.max(0, told.size() - 2), told.size());
          assertThat(ids(lines(disk, 60))).containsAll(newest);
        });
  }

  @Test
  void lineAfterATornOneIsWholeAndNumbersGoOn() throws IOException {
    FaultyDisk disk = new FaultyDisk();
    new Records(disk).makeDirectory(HOME);
    lines(disk, 1000).append(new JsonObject());
    disk.append(FILE, ByteBuffer.wrap("{\"id\":2,\"n".getBytes(StandardCharsets.UTF_8)));

    lines(disk, 1000).append(new JsonObject());
    lines(disk, 1000).append(new JsonObject());

    assertThat(ids(lines(disk, 1000))).containsExactly(1L, 2L, 3L);
  }

  @Test
  void fileIsBoundedAndTheNewestStay() throws IOException {
    FaultyDisk disk = new FaultyDisk();
    new Records(disk).makeDirectory(HOME);
    JsonLines lines = lines(disk, 100);
    for (int i = 0; i < 100; i++) {
      lines.append(new JsonObject().with("n", i));
    }

    assertThat(disk.size(FILE)).isLessThanOrEqualTo(100);
    assertThat(disk.size(HOME.resolve("a.jsonl.1"))).isLessThanOrEqualTo(100);
    assertThat(disk.list(HOME)).hasSize(2);
    assertThat(ids(lines)).hasSizeGreaterThan(4).endsWith(99L, 100L);
  }

  /** Some of them are longer than what is read at once. */
  @Test
  void newestAreFoundWhateverTheirLengths() throws IOException {
    FaultyDisk disk = new FaultyDisk();
    new Records(disk).makeDirectory(HOME);
    JsonLines lines = lines(disk, 4 << 20);
    Random random = new Random(7);
    for (int i = 0; i < 60; i++) {
      lines.append(new JsonObject().with("ä", "ö".repeat(random.nextInt(50_000))));
    }

    for (int most : List.of(1, 2, 7, 60, 100)) {
      List<JsonObject> newest = lines.newest(51, most, _ -> true);
      assertThat(newest).hasSize(Math.min(most, 50));
      assertThat(newest.getLast().number("id")).isEqualTo(50);
      assertThat(newest.getFirst().number("id")).isEqualTo(50 - newest.size() + 1);
    }
  }

  private static JsonLines lines(Disk disk, long bytes) {
    return new JsonLines(disk, HOME, "a.jsonl", bytes, true);
  }

  private static List<Long> ids(JsonLines lines) throws IOException {
    List<Long> ids = new ArrayList<>();
    for (JsonObject json : lines.newest(Long.MAX_VALUE, 100, _ -> true)) {
      ids.add(json.numberOr("id", -1));
    }
    return ids;
  }
}
