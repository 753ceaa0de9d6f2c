package dev.regen.agent.fleet;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Routes;
import dev.regen.agent.fleet.db.Readers;
import dev.regen.agent.fleet.db.Writer;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What nodes call, and the changes that operators follow. */
final class NodeResource {
  private static final Duration ALIVE_EVERY = Duration.ofSeconds(5);

  /** A node that says every 10 s that it lives, and was not heard for so long, is away. */
  private static final Duration SILENCE_MAX = Duration.ofSeconds(30);

  private static final int REPORTS_MAX = 1_000;

  private final String manager;
  private final Writer writer;
  private final Readers readers;
  private final NodeStreams streams;
  private final FleetChanges changes;

  NodeResource(
      String manager, Writer writer, Readers readers, NodeStreams streams, FleetChanges changes) {
    this.manager = manager;
    this.writer = writer;
    this.readers = readers;
    this.streams = streams;
    this.changes = changes;
  }

  void addTo(Routes routes) {
    routes
        .add("receiveMessages", this::messages)
        .add("sendReports", this::reports)
        .add("followChanges", this::follow);
  }

  private Answer messages(Call call) throws IOException, InterruptedException {
    String node = call.part("node");
    Long last = place(call.header("Last-Event-ID"));
    readers.read(session -> {
      Nodes.require(session, node);
      return true;
    });
    return new Answer.Stream(
        EventStream.TYPE,
        out -> {
          try {
            send(node, last == null ? 0 : last, out);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
          }
        });
  }

  private void send(String node, long last, OutputStream to)
      throws IOException, InterruptedException {
    EventStream out = new EventStream(to);
    long epoch = writer.write(edit -> Nodes.connect(edit, node, manager, last));
    NodeStreams.Stream stream = streams.open(node, epoch);
    try {
      out.alive();
      out.flush();
      send(node, stream, out);
    } finally {
      streams.close(node, stream);
      writer.write(edit -> {
        Nodes.disconnect(edit, node, epoch);
        return true;
      });
    }
  }

  private void send(String node, NodeStreams.Stream stream, EventStream out)
      throws IOException, InterruptedException {
    long sent = 0;
    while (!stream.ended() && !stream.silentFor(SILENCE_MAX)) {
      if (!stream.await(ALIVE_EVERY)) {
        out.alive();
        out.flush();
        continue;
      }
      boolean more = true;
      while (more && !stream.ended()) {
        long after = sent;
        Optional<List<Messages.Message>> taken =
            writer.write(edit -> Messages.take(edit, node, stream.epoch(), after));
        if (taken.isEmpty()) {
          return;
        }
        for (Messages.Message message : taken.get()) {
          out.event(message.seq(), "message", message.data());
          sent = message.seq();
        }
        out.flush();
        more = !taken.get().isEmpty();
      }
    }
  }

  private Answer reports(Call call) throws IOException, InterruptedException {
    String node = call.part("node");
    List<JsonObject> given = call.json().objects("reports");
    streams.heard(node, given.isEmpty());
    if (given.size() > REPORTS_MAX) {
      throw Names.bad("at most " + REPORTS_MAX + " reports come at once");
    }
    List<Report> reports = new ArrayList<>();
    List<JsonObject> refused = new ArrayList<>();
    long now = writer.now();
    for (int i = 0; i < given.size(); i++) {
      try {
        reports.add(Report.parse(given.get(i), now));
      } catch (IOException e) {
        refused.add(new JsonObject().with("index", i).with("message", Report.why(e)));
      }
    }
    Set<String> withdrawn =
        reports.isEmpty()
            ? Set.of()
            : writer.write(edit -> {
              Nodes.require(edit.session(), node);
              return Reports.apply(edit, node, reports);
            });
    JsonObject answer = new JsonObject();
    if (!withdrawn.isEmpty()) {
      answer.with("withdrawn", List.copyOf(withdrawn));
    }
    if (!refused.isEmpty()) {
      answer.with("refused", refused);
    }
    return Answer.ok(answer);
  }

  private Answer follow(Call call) throws IOException {
    String place = call.header("Last-Event-ID");
    return new Answer.Follow(changes, place == null ? call.query("after") : place);
  }

  /** A place that is none is one that nobody has reached. */
  private static @Nullable Long place(@Nullable String header) {
    return header == null || !header.matches("[0-9]{1,18}") ? null : Long.valueOf(header);
  }
}
