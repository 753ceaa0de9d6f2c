package dev.regen.agent.fleet;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Routes;
import dev.regen.agent.fleet.db.Readers;
import dev.regen.agent.fleet.db.Writer;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** What nodes have, as they last told it, and the settings of their queues. */
final class MirrorResource {
  private final Readers readers;
  private final Writer writer;

  MirrorResource(Readers readers, Writer writer) {
    this.readers = readers;
    this.writer = writer;
  }

  void addTo(Routes routes) {
    routes
        .add("listNodeContainers", this::containers)
        .add("listNodeQueues", this::queues)
        .add("getNodeQueue", this::queue)
        .add("listQueueSettings", this::settings)
        .add("setQueueSetting", this::set);
  }

  private Answer queues(Call call) throws IOException, InterruptedException {
    Listing listing = Listing.of(call);
    String node = call.part("node");
    return Answer.ok(
        readers.read(session -> {
          Nodes.require(session, node);
          return listing.answer(
              "queues",
              MirroredQueues.list(session, node, listing.name(), listing.limit()),
              "name");
        }));
  }

  private Answer containers(Call call) throws IOException, InterruptedException {
    String node = call.part("node");
    return Answer.ok(readers.read(session -> Nodes.containers(session, node)));
  }

  private Answer queue(Call call) throws IOException, InterruptedException {
    String node = call.part("node");
    String queue = call.part("queue");
    return Answer.ok(
        readers.read(session -> {
          Nodes.require(session, node);
          return MirroredQueues.get(session, node, queue);
        }));
  }

  private Answer settings(Call call) throws IOException, InterruptedException {
    String node = call.part("node");
    String queue = call.part("queue");
    return Answer.ok(
        readers.read(session -> {
          Nodes.require(session, node);
          return new JsonObject().with("settings", QueueSettings.list(session, node, queue));
        }));
  }

  /** Of a pin the whole id, where a node has shown one that begins so. */
  private String whole(Call call, String name) throws IOException, InterruptedException {
    if (!name.matches("pin:[0-9a-f]{4,31}")) {
      return name;
    }
    String node = call.part("node");
    String queue = call.part("queue");
    JsonObject shown = readers.read(session -> MirroredQueues.get(session, node, queue));
    List<String> found = new ArrayList<>();
    for (JsonObject snapshot : shown.objects("snapshots")) {
      String id = "pin:" + snapshot.string("id");
      if (id.startsWith(name)) {
        found.add(id);
      }
    }
    if (found.size() != 1) {
      throw Names.missing(
          "queue '" + queue + "' of " + node + " has not one snapshot that begins so");
    }
    return found.getFirst();
  }

  private Answer set(Call call) throws IOException, InterruptedException {
    String name = whole(call, call.json().string("name"));
    String value = QueueSettings.value(name, call.json().members().get("value"));
    QueueSettings.Place place =
        new QueueSettings.Place(call.part("node"), call.queue().value(), name);
    return new Answer.Json(
        202, writer.write(edit -> QueueSettings.set(edit, place, value, call.caller().name())));
  }
}
