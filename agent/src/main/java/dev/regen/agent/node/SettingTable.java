package dev.regen.agent.node;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * When each setting of each queue was changed, to what, and by whom: {@code settings.json}. What a
 * queue's length is and which of its snapshots are pinned stands in the queue itself; labels and
 * policies stand here alone.
 */
final class SettingTable {
  private static final int FILE_BYTES_MAX = 64 << 20;
  private static final int OF_A_QUEUE_MAX = 2_000;

  private final Disk disk;
  private final Path file;
  private final Map<String, Map<String, Setting>> queues = new TreeMap<>();
  private boolean changed;

  /**
   * A setting as it is.
   *
   * @param value a number, a truth value or a text
   */
  record Setting(Object value, Instant changedAt, String changedBy) {
    JsonObject json() {
      return new JsonObject()
          .with("value", value)
          .with("changedAt", changedAt)
          .with("changedBy", changedBy);
    }

    static Setting of(JsonObject json) throws IOException {
      Object value = json.members().get("value");
      if (value == null) {
        throw new IOException("a setting has no value");
      }
      return new Setting(value, json.instant("changedAt"), json.string("changedBy"));
    }

    /** For a person. */
    String words() {
      return "'" + value + "' (" + changedBy + ", " + changedAt + ")";
    }
  }

  SettingTable(Disk disk, Path home) {
    this.disk = disk;
    this.file = home.resolve("settings.json");
  }

  synchronized void open() throws IOException {
    JsonObject json;
    try {
      json = JsonObject.parse(disk.read(file, FILE_BYTES_MAX), Long.MAX_VALUE);
    } catch (NoSuchFileException e) {
      return;
    }
    for (String queue : json.members().keySet()) {
      JsonObject settings = json.object(queue);
      for (String name : settings.members().keySet()) {
        of(queue).putIfAbsent(name, Setting.of(settings.object(name)));
      }
    }
  }

  synchronized @Nullable Setting get(String queue, String name) {
    Map<String, Setting> settings = queues.get(queue);
    return settings == null ? null : settings.get(name);
  }

  /** Sets one; it lasts from {@link #save} on. */
  synchronized void put(String queue, String name, Setting setting) {
    Map<String, Setting> settings = of(queue);
    if (settings.size() < OF_A_QUEUE_MAX || settings.containsKey(name)) {
      settings.put(name, setting);
      changed = true;
    }
  }

  synchronized void remove(String queue, String name) {
    Map<String, Setting> settings = queues.get(queue);
    if (settings != null && settings.remove(name) != null) {
      changed = true;
    }
  }

  synchronized void removeQueue(String queue) {
    changed |= queues.remove(queue) != null;
  }

  /** The queues that have settings. */
  synchronized Set<String> queues() {
    return new TreeSet<>(queues.keySet());
  }

  /** A queue's settings by name. */
  synchronized JsonObject json(String queue) {
    JsonObject json = new JsonObject();
    queues.getOrDefault(queue, Map.of()).forEach((name, one) -> json.with(name, one.json()));
    return json;
  }

  /** What was set survives a power cut once this has returned. */
  synchronized void save() throws IOException {
    if (!changed) {
      return;
    }
    JsonObject json = new JsonObject();
    queues.keySet().forEach(queue -> json.with(queue, json(queue)));
    new Records(disk).replace(file, json.bytes());
    changed = false;
  }

  private Map<String, Setting> of(String queue) {
    return queues.computeIfAbsent(queue, _ -> new TreeMap<>());
  }
}
