package dev.regen.agent.node;

import dev.regen.runtime.Why;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When each setting of each queue was changed, to what, and by whom: {@code settings.json}. What a
 * queue's length is and which of its snapshots are pinned stands in the queue itself; labels and
 * policies stand here alone.
 */
final class SettingTable {
  private static final int FILE_BYTES_MAX = 64 << 20;
  private static final int OF_A_QUEUE_MAX = 2_000;

  private static final Logger LOG = LoggerFactory.getLogger(SettingTable.class);

  private final Disk disk;
  private final Path home;
  private final Path file;
  private final Map<String, Map<String, Setting>> queues = new TreeMap<>();
  private boolean changed;

  /** Held while the file is written; taken before this object's monitor. */
  private final Object writing = new Object();

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
    this.home = home;
    this.file = home.resolve("settings.json");
  }

  /** Reads what there is; of a damaged file nothing: settings are then as if nobody set them. */
  synchronized void open() {
    try {
      read(JsonObject.parse(disk.read(file, FILE_BYTES_MAX), Long.MAX_VALUE));
    } catch (NoSuchFileException e) {
      LOG.debug("no setting was changed yet");
    } catch (IOException e) {
      LOG.warn("who changed which setting is not known any more: {}", Why.of(e));
    }
  }

  private void read(JsonObject json) throws IOException {
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

  /** A queue's labels and policies that are not empty. */
  synchronized List<JsonObject> labels(String queue) {
    List<JsonObject> labels = new ArrayList<>();
    queues
        .getOrDefault(queue, Map.of())
        .forEach((name, one) -> {
          if (isLabel(name) && !one.value().equals("")) {
            JsonObject label = new JsonObject().with("name", name);
            one.json().members().forEach(label::with);
            labels.add(label);
          }
        });
    return labels;
  }

  /** Whether it stands here alone. */
  static boolean isLabel(String name) {
    return name.matches("(?:label|policy):[A-Za-z0-9][A-Za-z0-9._/-]{0,127}");
  }

  /**
   * What was set survives a power cut once this has returned; nobody else waits for the disk
   * meanwhile.
   */
  void save() throws IOException {
    synchronized (writing) {
      JsonObject json = taken();
      if (json == null) {
        return;
      }
      try {
        Records records = new Records(disk);
        records.makeDirectory(home);
        records.replace(file, json.bytes());
      } catch (IOException e) {
        synchronized (this) {
          changed = true;
        }
        throw e;
      }
    }
  }

  /** What is to be written, null for nothing. */
  private synchronized @Nullable JsonObject taken() {
    if (!changed) {
      return null;
    }
    changed = false;
    JsonObject json = new JsonObject();
    queues.keySet().forEach(queue -> json.with(queue, json(queue)));
    return json;
  }

  private Map<String, Setting> of(String queue) {
    return queues.computeIfAbsent(queue, _ -> new TreeMap<>());
  }
}
