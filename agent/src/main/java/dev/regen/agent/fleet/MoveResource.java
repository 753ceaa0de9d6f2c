package dev.regen.agent.fleet;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Routes;
import dev.regen.agent.fleet.db.Readers;
import dev.regen.agent.fleet.db.Writer;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;

/** {@code /v1/moves}: queues that go from one node to another. */
final class MoveResource {
  private final Readers readers;
  private final Writer writer;
  private final Mover mover;

  MoveResource(Readers readers, Writer writer, Mover mover) {
    this.readers = readers;
    this.writer = writer;
    this.mover = mover;
  }

  void addTo(Routes routes) {
    routes
        .add("startMove", this::start)
        .add("listMoves", this::list)
        .add("getMove", this::get)
        .add("cancelMove", this::cancel);
  }

  private Answer start(Call call) throws IOException, InterruptedException {
    JsonObject body = call.json();
    String queue = body.string("queue");
    if (!QueueName.isValid(queue)) {
      throw Names.bad("'queue' is no name of a queue");
    }
    String from = body.stringOrNull("from");
    Moves.Wanted wanted =
        new Moves.Wanted(
            queue,
            from == null ? null : Names.name(from),
            Names.name(body.string("to")),
            body.flag("leaveVolumes"),
            call.caller().name(),
            FleetJobResource.key(call.header("Idempotency-Key")));
    MoveRow move = writer.write(edit -> Moves.ask(edit, wanted));
    mover.wake();
    return Answer.accepted(move.json());
  }

  private Answer list(Call call) throws IOException, InterruptedException {
    Listing listing = Listing.of(call);
    long before = listing.before();
    return Answer.ok(
        readers.read(session -> {
          JsonObject answer =
              listing.answer("moves", Moves.list(session, before, listing.limit()), "seq");
          answer.objects("moves").forEach(row -> row.members().remove("seq"));
          return answer;
        }));
  }

  private Answer get(Call call) throws IOException, InterruptedException {
    String id = call.part("move");
    return Answer.ok(readers.read(session -> Moves.require(session, id)).json());
  }

  private Answer cancel(Call call) throws IOException, InterruptedException {
    String id = call.part("move");
    MoveRow move = writer.write(edit -> Moves.cancel(edit, id, call.caller().name()));
    mover.wake();
    return Answer.accepted(move.json());
  }
}
