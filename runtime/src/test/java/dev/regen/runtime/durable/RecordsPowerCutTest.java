package dev.regen.runtime.durable;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class RecordsPowerCutTest {
  private static final Path DIRECTORY = Path.of("/home/records");
  private static final Path FILE = DIRECTORY.resolve("record.json");

  @Test
  void aReplacedRecordIsTheOldOrTheNewOneWhereverThePowerIsCut() throws Exception {
    PowerCuts.everywhere(
        RecordsPowerCutTest::writeOld,
        disk -> new Records(disk).replace(FILE, "new".getBytes(UTF_8)),
        (disk, finished) -> {
          String found = text(disk);
          if (finished) {
            assertThat(found).isEqualTo("new");
          } else {
            assertThat(found).isIn("old", "new");
          }
        });
  }

  @Test
  void aFirstRecordInANewDirectoryIsWholeOrAbsent() throws Exception {
    PowerCuts.everywhere(
        disk -> {},
        disk -> {
          new Records(disk).makeDirectory(DIRECTORY);
          new Records(disk).replace(FILE, "new".getBytes(UTF_8));
        },
        (disk, finished) -> {
          if (finished || disk.size(FILE) >= 0) {
            assertThat(text(disk)).isEqualTo("new");
          }
        });
  }

  @Test
  void aRemovedRecordStaysRemoved() throws Exception {
    PowerCuts.everywhere(
        RecordsPowerCutTest::writeOld,
        disk -> new Records(disk).remove(FILE),
        (disk, finished) -> {
          if (finished) {
            assertThat(disk.size(FILE)).isNegative();
          } else if (disk.size(FILE) >= 0) {
            assertThat(text(disk)).isEqualTo("old");
          }
        });
  }

  /** The test of the tests: a disk that forgives would prove nothing. */
  @Test
  void withoutAForceTheDiskLosesBytesAndNames() throws Exception {
    FaultyDisk disk = new FaultyDisk();
    writeOld(disk);
    Path unforced = DIRECTORY.resolve("unforced");
    disk.create(unforced, ByteBuffer.wrap("bytes".getBytes(UTF_8)));
    disk.forceDirectory(DIRECTORY);
    disk.delete(FILE);

    FaultyDisk after = disk.reboot(FaultyDisk.Survivors.ONLY_FORCED, 0);

    assertThat(after.size(unforced)).isZero();
    assertThat(text(after)).isEqualTo("old");
  }

  private static void writeOld(FaultyDisk disk) throws IOException {
    new Records(disk).makeDirectory(DIRECTORY);
    new Records(disk).replace(FILE, "old".getBytes(UTF_8));
  }

  private static String text(Disk disk) throws IOException {
    return new String(disk.read(FILE, 100), UTF_8);
  }
}
