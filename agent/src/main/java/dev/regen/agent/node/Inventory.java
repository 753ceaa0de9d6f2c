package dev.regen.agent.node;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Principal;
import dev.regen.agent.api.Role;
import dev.regen.agent.api.Routes;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The queues and containers of this host as the manager shows them: what this agent's API says. */
final class Inventory {
  private static final Logger LOG = LoggerFactory.getLogger(Inventory.class);
  static final Principal ITSELF = new Principal("regen", Role.VIEW);

  /** Of a queue that is longer the newest snapshots are told. */
  private static final int QUEUE_BYTES_MAX = 400 << 10;

  /** What a queue's row has, in a list and alone. */
  private static final List<String> SHOWN =
      List.of("name", "length", "sizeBytes", "state", "encrypted", "latest", "message", "actions");

  private static final int PAGE = 1_000;
  private static final int CONTAINERS_BYTES_MAX = 100 << 10;
  private static final int REPORT_BYTES_MAX = 600 << 10;

  private final Routes routes;
  private final SettingTable settings;

  /** What the manager was told of each queue. */
  private final Map<String, String> known = new HashMap<>();

  private String knownContainers = "";
  private long revision;

  Inventory(Routes routes, SettingTable settings) {
    this.routes = routes;
    this.settings = settings;
  }

  /** The manager may know nothing any more. */
  void forget() {
    known.clear();
    knownContainers = "";
  }

  /** Everything, in as many reports as it takes; empty if the manager knows it so. */
  List<JsonObject> all() throws IOException, InterruptedException {
    Set<String> names = new TreeSet<>();
    List<JsonObject> news = new ArrayList<>();
    for (JsonObject row : ask("listQueues", Map.of(), "queues")) {
      String name = row.string("name");
      names.add(name);
      news.addAll(news(row));
    }
    List<JsonObject> containers = ask("listContainers", Map.of(), "containers");
    boolean gone = known.keySet().retainAll(names);
    if (news.isEmpty() && !gone && containers.toString().equals(knownContainers)) {
      return List.of();
    }
    knownContainers = containers.toString();
    List<JsonObject> queues = new ArrayList<>();
    List<JsonObject> reports = new ArrayList<>();
    long bytes = 0;
    for (JsonObject queue : news) {
      bytes += queue.bytes().length;
      if (bytes < REPORT_BYTES_MAX) {
        queues.add(queue);
      } else {
        reports.add(new JsonObject().with("kind", "queue").with("queue", queue));
      }
    }
    reports.addFirst(
        new JsonObject()
            .with("kind", "inventory")
            .with("queues", queues)
            .with("names", List.copyOf(names))
            .with("containers", newest(containers, CONTAINERS_BYTES_MAX))
            .with("revision", ++revision));
    return reports;
  }

  /** Looks whether settings are what was recorded of them. */
  void compare(NodeSettings told) throws IOException, InterruptedException {
    for (JsonObject row : ask("listQueues", Map.of(), "queues")) {
      String name = row.string("name");
      if (row.has("length") && !settings.json(name).members().isEmpty()) {
        told.compare(name, row.number("length"), snapshots(name));
      }
    }
  }

  /** Of these queues those that the manager knows otherwise. */
  List<JsonObject> queues(List<String> names) throws IOException, InterruptedException {
    List<JsonObject> reports = new ArrayList<>();
    for (String name : names) {
      try {
        Answer answer = routes.perform("getQueue", Map.of("queue", name), new JsonObject(), ITSELF);
        if (answer instanceof Answer.Json row) {
          for (JsonObject queue : news(row.body())) {
            reports.add(new JsonObject().with("kind", "queue").with("queue", queue));
          }
        }
      } catch (RegenException.NotFound e) {
        if (known.remove(name) != null) {
          reports.add(new JsonObject().with("kind", "queueGone").with("name", name));
        }
      } catch (RegenException e) {
        LOG.debug("queue {} is told when all are", name, e);
      }
    }
    return reports;
  }

  private List<JsonObject> news(JsonObject row) throws IOException, InterruptedException {
    String name = row.string("name");
    JsonObject queue = new JsonObject();
    for (String shown : SHOWN) {
      if (row.members().containsKey(shown)) {
        queue.with(shown, row.members().get(shown));
      }
    }
    queue.with("keep", row.members().get("length"));
    List<JsonObject> snapshots = snapshots(name);
    List<JsonObject> newest = newest(snapshots, QUEUE_BYTES_MAX);
    queue.with("snapshots", newest).with("settings", settings.json(name));
    if (newest.size() < snapshots.size()) {
      queue.with("snapshotsNotShown", snapshots.size() - newest.size());
    }
    String text = queue.toString();
    return text.equals(known.put(name, text)) ? List.of() : List.of(queue);
  }

  /** The last rows, as many as fit. */
  private static List<JsonObject> newest(List<JsonObject> rows, int bytesMax) {
    long bytes = 0;
    for (int i = rows.size() - 1; i >= 0; i--) {
      bytes += rows.get(i).bytes().length;
      if (bytes > bytesMax) {
        return rows.subList(i + 1, rows.size());
      }
    }
    return rows;
  }

  /** Whether a snapshot can be found, or a queue where it is null. */
  boolean holds(String queue, @Nullable String snapshot) throws IOException, InterruptedException {
    try {
      routes.perform("getQueue", Map.of("queue", queue), new JsonObject(), ITSELF);
    } catch (RegenException e) {
      return false;
    }
    return snapshot == null
        || snapshots(queue).stream().anyMatch(row -> snapshot.equals(row.members().get("id")));
  }

  /** None of a queue that is damaged, or gone in this moment. */
  List<JsonObject> snapshots(String queue) throws InterruptedException {
    try {
      return ask("listSnapshots", Map.of("queue", queue), "snapshots");
    } catch (IOException e) {
      LOG.debug("queue {} is told without its snapshots", queue, e);
      return List.of();
    }
  }

  /** A whole list, page after page. */
  private List<JsonObject> ask(String operation, Map<String, String> parts, String name)
      throws IOException, InterruptedException {
    Map<String, String> asked = new HashMap<>(parts);
    asked.put("limit", String.valueOf(PAGE));
    List<JsonObject> rows = new ArrayList<>();
    while (routes.perform(operation, asked, new JsonObject(), ITSELF) instanceof Answer.Json page) {
      rows.addAll(page.body().objects(name));
      String next = page.body().stringOrNull("next");
      if (next == null) {
        break;
      }
      asked.put("cursor", next);
    }
    return rows;
  }
}
