package dev.regen.agent.node;

import dev.regen.runtime.Why;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What somebody has removed here, until the manager knows: a file each. It is there before the
 * removal, as one that is {@code under way}, so that the manager hears of it wherever this agent
 * dies; whether it came to it is looked up by the next one.
 */
final class Removed {
  private static final Logger LOG = LoggerFactory.getLogger(Removed.class);
  private static final int FILE_BYTES_MAX = 64 << 10;
  private static final String UNDER_WAY = "under-way-";

  private final Disk disk;
  private final Records records;
  private final Path directory;
  private final Outbox outbox;

  /** Of those that are under way, by what they remove. */
  private final Map<String, Path> begun = new HashMap<>();

  /**
   * A removal.
   *
   * @param snapshot null for the whole queue
   */
  record Removal(String queue, @Nullable String snapshot, String by, Instant at) {
    private String what() {
      return snapshot == null ? queue : queue + "@" + snapshot;
    }

    private JsonObject report() {
      return new JsonObject()
          .with("kind", "removed")
          .with("what", snapshot == null ? "queue" : "snapshot")
          .with("queue", queue)
          .with("snapshot", snapshot)
          .with("by", by)
          .with("at", at);
    }
  }

  /** What is on this host. */
  @FunctionalInterface
  interface Present {
    /** Whether a snapshot is in its queue, or there is such a queue where it is null. */
    boolean holds(String queue, @Nullable String snapshot) throws IOException, InterruptedException;
  }

  Removed(Disk disk, Path home, Outbox outbox) {
    this.disk = disk;
    this.records = new Records(disk);
    this.directory = home.resolve("removed");
    this.outbox = outbox;
  }

  /** Tells what the agent before could not. */
  void open(Present present) throws IOException, InterruptedException {
    records.makeDirectory(directory);
    records.sweep(directory);
    for (Path file : disk.list(directory)) {
      try {
        open(file, JsonObject.parse(disk.read(file, FILE_BYTES_MAX)), present);
      } catch (IOException e) {
        LOG.warn("the manager does not hear of what {} says: {}", file, Why.of(e));
        forget(file);
      }
    }
  }

  private void open(Path file, JsonObject report, Present present)
      throws IOException, InterruptedException {
    if (!file.getFileName().toString().startsWith(UNDER_WAY)) {
      tell(file, report);
    } else if (!isOfThisAgent(file)) {
      if (present.holds(report.string("queue"), report.stringOrNull("snapshot"))) {
        forget(file);
      } else {
        tell(done(file), report);
      }
    }
  }

  private synchronized boolean isOfThisAgent(Path file) {
    return begun.containsValue(file);
  }

  /** Somebody is about to remove something; that this fails is no reason for anything else to. */
  synchronized void begin(Removal removal) {
    if (begun.containsKey(removal.what())) {
      return; // It has failed before.
    }
    Path file = directory.resolve(UNDER_WAY + UUID.randomUUID());
    try {
      records.makeDirectory(directory);
      records.replace(file, removal.report().bytes());
      begun.put(removal.what(), file);
    } catch (IOException e) {
      LOG.warn("the manager may not hear of {}: {}", removal, Why.of(e));
    }
  }

  /** It is removed. */
  synchronized void end(Removal removal) {
    Path underWay = begun.remove(removal.what());
    Path file = directory.resolve(UUID.randomUUID().toString());
    try {
      if (underWay == null) {
        // The disk was full before; what was removed may have made room.
        records.replace(file, removal.report().bytes());
      } else {
        file = done(underWay);
      }
    } catch (IOException e) {
      LOG.warn("the manager may not hear of {}: {}", removal, Why.of(e));
    }
    tell(file, removal.report());
  }

  private Path done(Path underWay) throws IOException {
    String name = underWay.getFileName().toString();
    Path done = underWay.resolveSibling(name.substring(UNDER_WAY.length()));
    disk.rename(underWay, done);
    disk.forceDirectory(directory);
    return done;
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
