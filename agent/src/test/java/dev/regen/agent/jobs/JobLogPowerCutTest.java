package dev.regen.agent.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.durable.FaultyDisk;
import dev.regen.runtime.durable.PowerCuts;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Cuts the power at every file operation of a log, kills its process there, or fills its disk. */
final class JobLogPowerCutTest {
  private static final Path HOME = Path.of("/home");
  private static final Path FILE = HOME.resolve("jobs.log");

  /** What was confirmed, in this order, for jobs a, b and c. */
  private static final List<JsonObject> CHANGES =
      List.of(
          change("a", "waiting"),
          change("b", "waiting"),
          change("a", "running"),
          change("c", "waiting"),
          change("a", "success"),
          change("b", "running"));

  @Test
  void whatWasConfirmedIsThereWhereverThePowerIsCut() throws Exception {
    Confirmed confirmed = new Confirmed();
    PowerCuts.everywhere(
        disk -> {
          new Records(disk).makeDirectory(HOME);
          confirmed.clear();
        },
        confirmed::recordAll,
        (disk, finished) -> confirmed.requireIn(disk));
  }

  @Test
  void whatWasConfirmedIsThereAfterASecondPowerCutToo() throws Exception {
    Confirmed confirmed = new Confirmed();
    PowerCuts.everywhere(
        disk -> {
          new Records(disk).makeDirectory(HOME);
          confirmed.clear();
          confirmed.recordAll(disk);
          // Torn by the first one.
          disk.append(
              FILE, ByteBuffer.wrap("12345678 {\"id\":\"d\"".getBytes(StandardCharsets.UTF_8)));
          disk.force(FILE);
        },
        disk -> confirmed.record(disk, List.of(change("e", "waiting"), change("b", "success"))),
        (disk, finished) -> confirmed.requireIn(disk));
  }

  @Test
  void killedProcessLeavesWhatWasConfirmed() throws Exception {
    boolean finished = false;
    for (int killAt = 1; !finished; killAt++) {
      FaultyDisk disk = new FaultyDisk();
      new Records(disk).makeDirectory(HOME);
      Confirmed confirmed = new Confirmed();
      disk.cutPowerIn(killAt, killAt);

      finished = disk.survives(() -> confirmed.recordAll(disk));

      confirmed.requireIn(disk.nextProcess());
    }
  }

  @Test
  void whatAFullDiskRefusedIsNotThereLaterAndTheRestIs() throws Exception {
    for (int room = 0; room < 1000; room += 7) {
      FaultyDisk disk = new FaultyDisk();
      new Records(disk).makeDirectory(HOME);
      Confirmed confirmed = new Confirmed();
      JobLog log = log(disk, new ArrayList<>());
      disk.limitRoom(room);
      for (JsonObject change : CHANGES) {
        confirmed.tryToRecord(log, change);
      }
      disk.limitRoom(1 << 20);
      confirmed.tryToRecord(log, change("f", "waiting"));

      confirmed.requireIn(disk.reboot(FaultyDisk.Survivors.ONLY_FORCED, 0));
    }
  }

  @Test
  void damagedLineIsToldOfAndPassedOver() throws Exception {
    FaultyDisk disk = new FaultyDisk();
    new Records(disk).makeDirectory(HOME);
    new Confirmed().recordAll(disk);
    byte[] content = disk.read(FILE, 1 << 20);
    content[new String(content, StandardCharsets.UTF_8).indexOf("\"b\"") + 1] ^= 1;
    new Records(disk).replace(FILE, content);
    List<String> told = new ArrayList<>();

    List<JsonObject> jobs = log(disk, told).jobs();

    assertThat(told).singleElement().asString().contains("1 lines", "damaged");
    assertThat(jobs).extracting(job -> job.string("id")).containsExactly("a", "c", "b");
  }

  @Test
  void fileHoldsLittleMoreThanWhatIsStillSo() throws Exception {
    FaultyDisk disk = new FaultyDisk();
    new Records(disk).makeDirectory(HOME);
    JobLog log = log(disk, new ArrayList<>());
    String words = "x".repeat(10_000);

    for (int i = 0; i < 1000; i++) {
      log.now(change("job" + i, "waiting").with("words", words));
      log.forget("job" + (i - 10));
    }

    assertThat(disk.size(FILE)).isLessThan(2 << 20);
    assertThat(log(disk, new ArrayList<>()).jobs()).hasSizeBetween(10, 200);
  }

  /** What {@link JobLog#now} has returned for, and what it must therefore find again. */
  private static final class Confirmed {
    private final Map<String, String> states = new LinkedHashMap<>();
    private final Map<String, String> perhaps = new LinkedHashMap<>();

    void clear() {
      states.clear();
      perhaps.clear();
    }

    void recordAll(FaultyDisk disk) throws IOException {
      record(disk, CHANGES);
    }

    void record(FaultyDisk disk, List<JsonObject> changes) throws IOException {
      JobLog log = log(disk, new ArrayList<>());
      for (JsonObject change : changes) {
        perhaps.put(change.string("id"), change.string("state"));
        log.now(change);
        states.put(change.string("id"), change.string("state"));
        perhaps.clear();
      }
    }

    /** What fails later than at first is known in memory, and recorded with what comes next. */
    void tryToRecord(JobLog log, JsonObject change) throws IOException {
      try {
        log.now(change);
      } catch (IOException e) {
        if (!states.containsKey(change.string("id"))) {
          return;
        }
      }
      states.put(change.string("id"), change.string("state"));
    }

    void requireIn(FaultyDisk disk) throws IOException {
      List<String> told = new ArrayList<>();
      Map<String, String> found = new LinkedHashMap<>();
      for (JsonObject job : log(disk, told).jobs()) {
        found.put(job.string("id"), job.string("state"));
      }
      Map<String, String> withPerhaps = new LinkedHashMap<>(states);
      withPerhaps.putAll(perhaps);
      assertThat(found).isIn(states, withPerhaps);
      assertThat(told).isEmpty();
    }
  }

  private static JobLog log(FaultyDisk disk, List<String> told) {
    return new JobLog(disk, HOME, told::add);
  }

  private static JsonObject change(String id, String state) {
    return new JsonObject().with("id", id).with("state", state);
  }
}
