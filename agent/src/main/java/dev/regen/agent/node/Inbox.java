package dev.regen.agent.node;

import dev.regen.runtime.Why;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the manager has asked this node to do and what this node has not begun, a file each, named
 * by its place and its id; and {@code last}, the newest message that needs not be sent again. What
 * {@link #record} was given survives a power cut once that has returned.
 */
final class Inbox {
  private static final Logger LOG = LoggerFactory.getLogger(Inbox.class);
  private static final int FILE_BYTES_MAX = 1 << 20;
  private static final int WAITING_MAX = 2_000;

  private final Disk disk;
  private final Records records;
  private final Path directory;
  private final Path lastFile;
  private final Map<String, Path> files = new HashMap<>();
  private long last;

  Inbox(Disk disk, Path home) {
    this.disk = disk;
    this.records = new Records(disk);
    this.directory = home.resolve("messages");
    this.lastFile = home.resolve("last");
  }

  /** Reads what is there; returns what was not begun, in its order. */
  List<JsonObject> open() throws IOException {
    records.makeDirectory(directory);
    records.sweep(directory);
    List<JsonObject> waiting = new ArrayList<>();
    for (Path file : disk.list(directory).stream().sorted().toList()) {
      try {
        JsonObject message = JsonObject.parse(disk.read(file, FILE_BYTES_MAX));
        files.put(message.string("id"), file);
        waiting.add(message);
      } catch (IOException e) {
        LOG.warn("a message of the manager's is not read: {}", Why.of(e));
        records.remove(file);
      }
    }
    try {
      last = JsonObject.parse(disk.read(lastFile, FILE_BYTES_MAX)).number("last");
    } catch (NoSuchFileException e) {
      last = 0;
    } catch (IOException e) {
      LOG.warn("{} is not read, and some messages come again: {}", lastFile, Why.of(e));
    }
    return waiting;
  }

  /** The newest message that needs not be sent again. */
  synchronized long last() {
    return last;
  }

  /** All up to {@code seq} needs not be sent again, but for what waits here. */
  synchronized void handled(long seq) throws IOException {
    if (seq != last) {
      records.replace(lastFile, new JsonObject().with("last", seq).bytes());
      last = seq;
    }
  }

  /**
   * Records a message; one that is here already stays as it is.
   *
   * @param id letters and digits
   */
  synchronized void record(long seq, String id, JsonObject message) throws IOException {
    if (files.containsKey(id)) {
      return;
    }
    if (files.size() >= WAITING_MAX) {
      throw new IOException(files.size() + " messages of the manager's wait here already");
    }
    Path file = directory.resolve(String.format("%019d-%s", seq, id));
    records.replace(file, message.bytes());
    files.put(id, file);
  }

  /** It was begun, or never will be, and the manager knows. */
  synchronized void remove(String id) {
    Path file = files.remove(id);
    if (file != null) {
      try {
        records.remove(file);
      } catch (IOException e) {
        LOG.warn("{} stays, and will be asked about again: {}", file, Why.of(e));
      }
    }
  }
}
