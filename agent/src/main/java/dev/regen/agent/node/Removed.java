package dev.regen.agent.node;

import dev.regen.runtime.Why;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What somebody has removed here, until the manager knows: a file each. */
final class Removed {
  private static final Logger LOG = LoggerFactory.getLogger(Removed.class);
  private static final int FILE_BYTES_MAX = 64 << 10;

  private final Disk disk;
  private final Records records;
  private final Path directory;
  private final Outbox outbox;

  Removed(Disk disk, Path home, Outbox outbox) {
    this.disk = disk;
    this.records = new Records(disk);
    this.directory = home.resolve("removed");
    this.outbox = outbox;
  }

  /** Tells what the agent before could not. */
  void open() throws IOException {
    records.makeDirectory(directory);
    records.sweep(directory);
    for (Path file : disk.list(directory)) {
      try {
        tell(file, JsonObject.parse(disk.read(file, FILE_BYTES_MAX)));
      } catch (IOException e) {
        LOG.warn("the manager does not hear of what {} says: {}", file, Why.of(e));
        forget(file);
      }
    }
  }

  /** Records a report and tells it; that it fails is no reason for anything else to. */
  void add(JsonObject report) {
    Path file = directory.resolve(UUID.randomUUID().toString());
    try {
      records.replace(file, report.bytes());
    } catch (IOException e) {
      LOG.warn("the manager may not hear of {}: {}", report, Why.of(e));
    }
    tell(file, report);
  }

  private void tell(Path file, JsonObject report) {
    outbox.put("removed " + file.getFileName(), report, () -> forget(file));
  }

  private void forget(Path file) {
    try {
      records.remove(file);
    } catch (IOException e) {
      LOG.warn("the manager is told again of what it knows: {}", Why.of(e));
    }
  }
}
