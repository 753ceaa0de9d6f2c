package dev.regen.agent.fleet;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Routes;
import dev.regen.agent.fleet.db.Readers;
import dev.regen.agent.fleet.db.Writer;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;

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

  private Answer set(Call call) throws IOException, InterruptedException {
    String name = call.json().string("name");
    String value = QueueSettings.value(name, call.json().members().get("value"));
    QueueSettings.Place place =
        new QueueSettings.Place(call.part("node"), call.queue().value(), name);
    return new Answer.Json(
        202, writer.write(edit -> QueueSettings.set(edit, place, value, call.caller().name())));
  }
}
