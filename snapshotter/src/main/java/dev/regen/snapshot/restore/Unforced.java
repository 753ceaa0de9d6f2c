package dev.regen.snapshot.restore;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.overlay.Staging;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Which staging directories hold trees whose bytes may still be in memory alone: {@code
 * STAGING/unforced} names the boot they were made in. Where the host went down before they were
 * forced, files may be empty that have their right names and lengths of old.
 */
final class Unforced {
  private static final String FILE = "unforced";
  private static final long BYTES_MAX = 256;

  private final Disk disk;
  private final String boot;

  /** {@code boot} is that of the host. */
  Unforced(Disk disk, String boot) {
    this.disk = disk;
    this.boot = boot;
  }

  /** Whether the host went down since trees were made there, and they had not been forced. */
  boolean isOfAnEarlierBoot(Staging staging) throws IOException {
    String noted = noted(staging);
    return !noted.isEmpty() && !noted.equals(boot);
  }

  /** Whether trees were made there in this boot, and have not been forced since. */
  boolean isOfThisBoot(Staging staging) throws IOException {
    return noted(staging).equals(boot);
  }

  /** Notes, to last, that a tree is about to be made there. */
  void note(Staging staging) throws IOException {
    if (!isOfThisBoot(staging)) {
      new Records(disk).replace(file(staging), boot.getBytes(StandardCharsets.US_ASCII));
    }
  }

  /** All that was made there is on the disk, or gone. */
  void forget(Staging staging) throws IOException {
    new Records(disk).remove(file(staging));
  }

  private String noted(Staging staging) throws IOException {
    try {
      return new String(disk.read(file(staging), BYTES_MAX), StandardCharsets.US_ASCII);
    } catch (NoSuchFileException e) {
      return "";
    }
  }

  private static Path file(Staging staging) {
    return staging.directory().resolve(FILE);
  }
}
