package dev.regen.agent.node;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Principal;
import dev.regen.agent.api.Routes;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.node.SettingTable.Setting;
import dev.regen.runtime.Why;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Settings of queues, which the manager keeps too: the later change wins, at the same time this
 * node's. What was lost is told in an event.
 */
final class NodeSettings {
  private static final Logger LOG = LoggerFactory.getLogger(NodeSettings.class);
  private static final String KEEP = "keep";
  private static final String PIN = "pin:";
  private static final int TEXT_MAX = 255;

  /** What this thread changes on behalf of the manager. */
  private static final ThreadLocal<@Nullable Setting> APPLIED = new ThreadLocal<>();

  private final SettingTable table;
  private final Outbox outbox;
  private final Events events;
  private final InstantSource clock;

  NodeSettings(SettingTable table, Outbox outbox, Events events, InstantSource clock) {
    this.table = table;
    this.outbox = outbox;
    this.events = events;
    this.clock = clock;
  }

  /** A setting has changed here; quick. */
  void changed(String queue, String name, Object value, String by) {
    Setting theirs = APPLIED.get();
    if (theirs != null) {
      table.put(queue, name, theirs);
      return;
    }
    set(queue, name, value, by, Instant.EPOCH);
  }

  /**
   * Changes a label or policy; it lasts when this returns.
   *
   * @throws RegenException.BadInput if it is none, or its value does not fit
   */
  void label(String queue, String name, String value, String by) throws IOException {
    if (!SettingTable.isLabel(name)) {
      throw new RegenException.BadInput(
          "'" + name + "' is no label:NAME or policy:NAME of letters, digits, '.', '_', '/', '-'");
    }
    if (value.length() > TEXT_MAX || value.chars().anyMatch(Character::isISOControl)) {
      throw new RegenException.BadInput(
          "a label has at most " + TEXT_MAX + " characters, and no control characters");
    }
    set(queue, name, value, by, Instant.EPOCH);
    table.save();
  }

  /**
   * Compares a queue with what is known of its settings: an agent that died may not have recorded a
   * change.
   *
   * @param snapshots the queue's, as its listing has them
   */
  void compare(String queue, long keep, List<JsonObject> snapshots) throws IOException {
    Setting known = table.get(queue, KEEP);
    if (known != null && !known.value().equals(keep)) {
      set(queue, KEEP, keep, "regen", Instant.EPOCH);
    }
    for (JsonObject snapshot : snapshots) {
      String pin = PIN + snapshot.string("id");
      Setting pinned = table.get(queue, pin);
      if (pinned != null && !pinned.value().equals(snapshot.flag("pinned"))) {
        set(queue, pin, snapshot.flag("pinned"), "regen", Instant.EPOCH);
      }
    }
  }

  /**
   * A setting that the manager has.
   *
   * @param message whose body it is in
   */
  void heard(JsonObject message, Routes routes) throws IOException, InterruptedException {
    JsonObject body = message.object("body");
    String queue = body.string("queue");
    String name = body.string("name");
    Setting theirs = Setting.of(body);
    Setting ours = table.get(queue, name);
    if (ours != null && !ours.changedAt().isBefore(theirs.changedAt())) {
      if (!ours.value().equals(theirs.value())) {
        outbox.put("lost " + queue + " " + name, lost(queue, name, theirs, ours), () -> {});
      } else {
        tell(queue, name, ours);
      }
      return;
    }
    try {
      APPLIED.set(theirs);
      apply(queue, name, theirs, Orders.caller(message), routes);
    } catch (IOException | IllegalArgumentException e) {
      refuse(queue, name, theirs, actual(queue, name, ours, routes), e);
      return;
    } finally {
      APPLIED.remove();
    }
    table.put(queue, name, theirs);
    table.save();
    if (ours != null && !ours.value().equals(theirs.value())) {
      events.tell(
          "setting-lost",
          queue,
          name + " is " + theirs.words() + " now, and no longer " + ours.words());
    }
    tell(queue, name, theirs);
  }

  private void apply(String queue, String name, Setting setting, Principal caller, Routes routes)
      throws IOException, InterruptedException {
    if (name.equals(KEEP)) {
      JsonObject body = new JsonObject().with(KEEP, setting.value());
      var _ = routes.perform("setKeep", Map.of("queue", queue), body, caller);
    } else if (name.startsWith(PIN)) {
      var _ =
          routes.perform(
              Boolean.TRUE.equals(setting.value()) ? "pinSnapshot" : "unpinSnapshot",
              Map.of("queue", queue, "snapshot", name.substring(PIN.length())),
              new JsonObject(),
              caller);
    } else {
      var _ = routes.perform("getQueue", Map.of("queue", queue), new JsonObject(), caller);
    }
  }

  /** What cannot be here stays as it is, and the manager has to take it so. */
  private void refuse(
      String queue, String name, Setting theirs, @Nullable Object ours, Exception why) {
    LOG.info("{} of queue {} does not become {}: {}", name, queue, theirs.words(), Why.of(why));
    events.tell(
        "setting-refused", queue, name + " does not become " + theirs.words() + ": " + Why.of(why));
    if (why instanceof RegenException.NotFound && !name.startsWith(PIN)) {
      outbox.put(
          "gone " + queue,
          new JsonObject().with("kind", "queueGone").with("name", queue),
          () -> {});
      return;
    }
    if (ours != null) {
      set(queue, name, ours, "node", theirs.changedAt());
    }
  }

  /** How a setting is, whoever set it; null if nobody knows. */
  private static @Nullable Object actual(
      String queue, String name, @Nullable Setting ours, Routes routes)
      throws InterruptedException {
    if (ours != null) {
      return ours.value();
    }
    if (!name.equals(KEEP)) {
      return name.startsWith(PIN) ? (Object) false : "";
    }
    try {
      return routes.perform("getQueue", Map.of("queue", queue), new JsonObject(), Inventory.ITSELF)
              instanceof Answer.Json json
          ? json.body().members().get("length")
          : null;
    } catch (IOException e) {
      return null;
    }
  }

  private void set(String queue, String name, Object value, String by, Instant after) {
    Setting before = table.get(queue, name);
    Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
    // A clock that was set back must not make what follows come before.
    Instant at = later(now, later(after, before == null ? Instant.EPOCH : before.changedAt()));
    Setting setting = new Setting(value, at, by);
    table.put(queue, name, setting);
    tell(queue, name, setting);
  }

  private static Instant later(Instant now, Instant before) {
    return now.isAfter(before) ? now : before.plusMillis(1);
  }

  private void tell(String queue, String name, Setting setting) {
    outbox.put("setting " + queue + " " + name, report("setting", queue, name, setting), () -> {});
  }

  private static JsonObject lost(String queue, String name, Setting lost, Setting winner) {
    return report("settingLost", queue, name, lost).with("winner", winner.json());
  }

  private static JsonObject report(String kind, String queue, String name, Setting setting) {
    JsonObject report = new JsonObject().with("kind", kind).with("queue", queue).with("name", name);
    setting.json().members().forEach(report::with);
    return report;
  }
}
