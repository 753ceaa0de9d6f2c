package dev.regen.agent.fleet;

import dev.regen.agent.api.ProblemException;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a node tells, checked: nothing of it is believed beyond what it may tell. */
sealed interface Report {
  int NAME_MAX = 255;
  int QUEUES_MAX = 5_000;

  /** How a job is, asked for by the manager ({@code id}) or begun on the node. */
  record OfJob(@Nullable String id, String nodeJob, long revision, JsonObject job)
      implements Report {}

  /** A job that the node does not begin. */
  record Refused(String id, String code, String message) implements Report {}

  /**
   * The queues of the node.
   *
   * @param names of all of them, where there are more than one report holds; null: those are all
   */
  record Inventory(List<Mirrored> queues, String containers, @Nullable Set<String> names)
      implements Report {}

  record Queue(Mirrored queue) implements Report {}

  record QueueGone(String name) implements Report {}

  /** Somebody removed something. */
  record Removed(String what, String queue, @Nullable String snapshot, String by, long at)
      implements Report {}

  record Setting(String queue, String name, QueueSettings.Value value) implements Report {}

  /**
   * A queue, ready to be stored.
   *
   * @param hash tells whether it is another than before
   */
  record Mirrored(
      String name,
      String hash,
      String summary,
      String snapshots,
      Map<String, QueueSettings.Value> settings) {}

  Map<String, Set<String>> FIELDS =
      Map.of(
          "job", Set.of("kind", "id", "nodeJob", "revision", "job"),
          "refused", Set.of("kind", "id", "code", "message"),
          "inventory", Set.of("kind", "queues", "containers", "names", "revision"),
          "queue", Set.of("kind", "queue"),
          "queueGone", Set.of("kind", "name"),
          "removed", Set.of("kind", "what", "queue", "snapshot", "by", "at"),
          "setting", Set.of("kind", "queue", "name", "value", "changedAt", "changedBy"),
          "settingLost",
              Set.of("kind", "queue", "name", "value", "changedAt", "changedBy", "winner"));

  /**
   * Reads one.
   *
   * @param now the time that is taken where the node says none
   * @throws IOException if it is none; its message says why
   */
  static Report parse(JsonObject json, long now) throws IOException {
    String kind = json.string("kind");
    Set<String> fields = FIELDS.get(kind);
    if (fields == null) {
      throw Names.bad("there is no report of the kind '" + kind + "'");
    }
    for (String member : json.members().keySet()) {
      if (!fields.contains(member)) {
        throw Names.bad("a report of the kind '" + kind + "' has no field '" + member + "'");
      }
    }
    return switch (kind) {
      case "job" ->
          new OfJob(
              optional(json, "id"),
              name(json, "nodeJob"),
              json.number("revision"),
              json.object("job"));
      case "refused" ->
          new Refused(
              name(json, "id"),
              name(json, "code"),
              String.valueOf(Names.words(json.string("message"))));
      case "inventory" -> inventory(json, now);
      case "queue" -> new Queue(MirroredQueues.read(json.object("queue"), now));
      case "queueGone" -> new QueueGone(name(json, "name"));
      case "removed" -> removed(json, now);
      case "setting" ->
          new Setting(name(json, "queue"), name(json, "name"), value(json, json, now));
      default -> // What was lost is known here: it came from here. What has won is news.
          new Setting(
              name(json, "queue"), name(json, "name"), value(json, json.object("winner"), now));
    };
  }

  private static Report inventory(JsonObject json, long now) throws IOException {
    List<JsonObject> queues = json.objects("queues");
    if (queues.size() > QUEUES_MAX) {
      throw Names.bad("a node shows at most " + QUEUES_MAX + " queues");
    }
    List<Mirrored> all = new java.util.ArrayList<>();
    for (JsonObject queue : queues) {
      all.add(MirroredQueues.read(queue, now));
    }
    List<JsonObject> containers = json.objects("containers");
    return new Inventory(
        all,
        new JsonObject().with("containers", containers).toString(),
        json.has("names") ? Set.copyOf(json.strings("names")) : null);
  }

  private static Report removed(JsonObject json, long now) throws IOException {
    String what = json.string("what");
    if (!what.equals("snapshot") && !what.equals("queue")) {
      throw Names.bad("what is removed is a snapshot or a queue, not '" + Names.words(what) + "'");
    }
    return new Removed(
        what,
        name(json, "queue"),
        optional(json, "snapshot"),
        name(json, "by"),
        Names.millis(json, "at", now));
  }

  static QueueSettings.Value value(JsonObject named, JsonObject json, long now) throws IOException {
    return new QueueSettings.Value(
        QueueSettings.value(named.string("name"), json.members().get("value")),
        Names.millis(json, "changedAt", now),
        json.has("changedBy") ? name(json, "changedBy") : "node");
  }

  static String name(JsonObject json, String member) throws IOException {
    String text = json.string(member);
    if (text.isEmpty()
        || text.length() > NAME_MAX
        || text.chars().anyMatch(Character::isISOControl)) {
      throw Names.bad("'" + member + "' is empty, too long or has control characters");
    }
    return text;
  }

  private static @Nullable String optional(JsonObject json, String member) throws IOException {
    return json.has(member) ? name(json, member) : null;
  }

  /** Why a report is refused, for the node's log. */
  static String why(IOException e) {
    return e instanceof ProblemException problem
        ? problem.failure().message()
        : String.valueOf(e.getMessage());
  }
}
