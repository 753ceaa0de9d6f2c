package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "ls",
    description = {
      "Lists the queues, or one queue's snapshots, oldest first.",
      "SIZE is what a snapshot takes by itself, packed; what several share counts in each, so that"
          + " a queue's, the sum of its snapshots', is more than the disk has to hold. NEW is what"
          + " no snapshot held before, on the host that took it."
    })
final class LsCommand extends AgentCommand {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "QUEUE",
      converter = QueueAddress.Converter.class)
  private @Nullable QueueAddress address;

  @Option(names = "--stored", description = "What the agent's store has, not this host.")
  private boolean stored;

  @Option(
      names = "--store",
      paramLabel = "URL",
      description = "What this store has, not this host: snapshots, and images.")
  private @Nullable String store;

  @Option(names = "--json", description = "As a JSON array.")
  private boolean json;

  @Option(names = "--utc", description = "Times in UTC, not in the host's zone.")
  private boolean utc;

  @Override
  int run(AgentClient agent) throws IOException {
    QueueAddress queue = address;
    if (queue != null) {
      queue.requireNoSnapshot(spec);
    }
    if (stored || store != null) {
      listStored(agent, queue);
    } else if (queue == null) {
      List<JsonObject> queues = agent.all("/v1/queues", "queues");
      if (json) {
        printArray(queues);
      } else {
        printQueues(queues);
      }
    } else {
      List<JsonObject> snapshots = new ArrayList<>();
      long[] waiting = new long[1];
      agent.pages(
          queue.queuePath() + "/snapshots",
          page -> {
            snapshots.addAll(page.objects("snapshots"));
            waiting[0] = page.numberOr("waiting", 0);
            return true;
          });
      if (json) {
        printArray(snapshots);
      } else {
        printSnapshots(snapshots, waiting[0]);
      }
    }
    return DONE;
  }

  private void listStored(AgentClient agent, @Nullable QueueAddress queue) throws IOException {
    JsonObject answer =
        agent.send(
            "POST",
            "/v1/store/queues"
                + (queue == null ? "" : "/" + AgentClient.part(queue.queue().value())),
            new JsonObject().with("store", store));
    List<JsonObject> snapshots = answer.objects("snapshots");
    for (String trouble : answer.strings("troubles")) {
      err().println("regen: " + trouble);
    }
    List<JsonObject> images = answer.objects("images");
    if (json) {
      List<JsonObject> all = new ArrayList<>(snapshots);
      all.addAll(images);
      printArray(all);
      return;
    }
    Table table = new Table("QUEUE", "ID", "TIME", "SIZE", "WHY", "GOOD", "IMAGE", "STATE");
    for (JsonObject snapshot : snapshots) {
      boolean complete = snapshot.has("time");
      table.row(
          snapshot.string("queue"),
          snapshot.string("id").substring(0, 12),
          complete ? Times.of(snapshot.string("time"), utc) : "-",
          size(snapshot, "sizeBytes"),
          complete ? why(snapshot) : "-",
          complete ? snapshot.string("good") : "-",
          complete ? snapshot.string("image") : "-",
          snapshot.string("state") + (snapshot.flag("encrypted") ? ", encrypted" : ""));
    }
    if (!snapshots.isEmpty() || images.isEmpty()) {
      table.print(out());
    }
    if (!images.isEmpty()) {
      printImages(images, !snapshots.isEmpty());
    }
  }

  private void printImages(List<JsonObject> images, boolean below) throws IOException {
    if (below) {
      out().println();
    }
    Table table = new Table("IMAGE", "ID", "LAYERS", "SIZE", "STATE");
    for (JsonObject image : images) {
      List<String> names = image.strings("names");
      String id = image.string("id");
      table.row(
          names.isEmpty() ? "-" : String.join(", ", names),
          id.substring(id.indexOf(':') + 1).substring(0, 12),
          image.has("layers") ? String.valueOf(image.number("layers")) : "-",
          size(image, "sizeBytes"),
          image.string("state"));
    }
    table.print(out());
  }

  private static String why(JsonObject snapshot) throws IOException {
    String exit = snapshot.has("exitCode") ? " (" + snapshot.number("exitCode") + ")" : "";
    return snapshot.string("reason") + exit;
  }

  private void printQueues(List<JsonObject> queues) throws IOException {
    Table table = new Table("QUEUE", "SNAPSHOTS", "SIZE", "LATEST", "STATE");
    for (JsonObject queue : queues) {
      String latest = queue.stringOrNull("latest");
      String movedTo = queue.stringOrNull("movedTo");
      table.row(
          queue.string("name"),
          queue.numberOr("snapshots", 0) + "/" + queue.numberOr("length", 0),
          Sizes.of(queue.numberOr("sizeBytes", 0)),
          latest == null ? "-" : Times.of(latest, utc),
          queue.string("state")
              + (queue.flag("encrypted") ? ", encrypts" : "")
              + (movedTo == null ? "" : ", moved to " + movedTo));
    }
    table.print(out());
  }

  private void printSnapshots(List<JsonObject> snapshots, long waiting) throws IOException {
    Set<String> below = new LinkedHashSet<>();
    Table table = new Table("ID", "TIME", "SIZE", "NEW", "WHY", "GOOD", "PINNED", "STATE");
    for (JsonObject snapshot : snapshots) {
      String id = snapshot.string("id");
      table.row(
          id.matches("[0-9a-f]{32}") ? id.substring(0, 12) : id,
          Times.of(snapshot.string("time"), utc),
          size(snapshot, "sizeBytes"),
          size(snapshot, "newBytes"),
          why(snapshot),
          snapshot.string("good"),
          snapshot.flag("pinned") ? "pinned" : "-",
          snapshot.string("state")
              + (snapshot.flag("encrypted") ? ", encrypted" : "")
              + (snapshot.flag("chosen") ? ", chosen next" : "")
              + (snapshot.has("message") && !shared(snapshot)
                  ? ": " + snapshot.string("message")
                  : ""));
      if (snapshot.has("message") && shared(snapshot)) {
        below.add(snapshot.string("state") + ": " + snapshot.string("message"));
      }
    }
    table.print(out());
    below.forEach(line -> out().println(line.replaceAll("\\p{Cntrl}", "?")));
    if (waiting > 0) {
      out().println(waiting + (waiting == 1 ? " end waits" : " ends wait") + " to be archived");
    }
  }

  /** Whether what is said of it is the same for others in that state; it then stands below once. */
  private static boolean shared(JsonObject snapshot) throws IOException {
    String state = snapshot.string("state");
    return state.equals("locked") || state.equals("inconsistent");
  }

  private static String size(JsonObject snapshot, String member) throws IOException {
    return snapshot.has(member) ? Sizes.of(snapshot.number(member)) : "-";
  }
}
