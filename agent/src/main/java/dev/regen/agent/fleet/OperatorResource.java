package dev.regen.agent.fleet;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.ProblemException;
import dev.regen.agent.api.Role;
import dev.regen.agent.api.Routes;
import dev.regen.agent.fleet.db.Readers;
import dev.regen.agent.fleet.db.Writer;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;

/** Who belongs to the fleet, who may do what in it, and what was done. */
final class OperatorResource {
  private final Readers readers;
  private final Writer writer;

  OperatorResource(Readers readers, Writer writer) {
    this.readers = readers;
    this.writer = writer;
  }

  void addTo(Routes routes) {
    routes
        .add("listNodes", this::nodes)
        .add("getNode", call -> read(session -> Nodes.get(session, call.part("node"))))
        .add("addNode", this::addNode)
        .add("removeNode", this::removeNode)
        .add("renewNodeToken", this::renew)
        .add("listTokens", this::tokens)
        .add("addToken", this::addToken)
        .add("removeToken", this::removeToken)
        .add("listAlarms", this::alarms)
        .add("getAlarm", call -> read(session -> Alarms.get(session, alarm(call))))
        .add("acknowledgeAlarm", this::acknowledge)
        .add("getSettings", _ -> read(session -> Figures.read(session).json()))
        .add("changeSettings", this::changeSettings)
        .add("listAudit", this::audit);
  }

  private Answer nodes(Call call) throws IOException, InterruptedException {
    Listing listing = Listing.of(call);
    return read(session ->
        listing.answer("nodes", Nodes.list(session, listing.name(), listing.limit()), "name"));
  }

  private Answer addNode(Call call) throws IOException, InterruptedException {
    String name = Names.name(call.json().string("name"));
    boolean certificate = call.json().flag("certificate");
    String token = writer.write(edit -> Nodes.add(edit, name, !certificate, call.caller().name()));
    return new Answer.Json(201, new JsonObject().with("name", name).with("token", token));
  }

  private Answer removeNode(Call call) throws IOException, InterruptedException {
    String name = call.part("node");
    writer.write(edit -> {
      Nodes.remove(edit, name, call.caller().name());
      return true;
    });
    return Answer.ok(new JsonObject());
  }

  private Answer renew(Call call) throws IOException, InterruptedException {
    String name = call.part("node");
    String token = writer.write(edit -> Nodes.renew(edit, name, call.caller().name()));
    return Answer.ok(new JsonObject().with("name", name).with("token", token));
  }

  private Answer tokens(Call call) throws IOException, InterruptedException {
    Listing listing = Listing.of(call);
    return read(session ->
        listing.answer(
            "tokens", FleetTokens.list(session, listing.name(), listing.limit()), "name"));
  }

  private Answer addToken(Call call) throws IOException, InterruptedException {
    String name = Names.name(call.json().string("name"));
    Role role = Role.of(call.json().string("role"));
    String token = writer.write(edit -> FleetTokens.add(edit, name, role, call.caller().name()));
    return new Answer.Json(
        201, new JsonObject().with("name", name).with("role", role.word()).with("token", token));
  }

  private Answer removeToken(Call call) throws IOException, InterruptedException {
    String name = call.part("token");
    writer.write(edit -> {
      FleetTokens.remove(edit, name, call.caller().name());
      return true;
    });
    return Answer.ok(new JsonObject());
  }

  private Answer alarms(Call call) throws IOException, InterruptedException {
    Listing listing = Listing.of(call);
    boolean all = call.flag("all");
    long before = listing.before();
    return read(session ->
        listing.answer("alarms", Alarms.list(session, all, before, listing.limit()), "id"));
  }

  private Answer acknowledge(Call call) throws IOException, InterruptedException {
    long alarm = alarm(call);
    return Answer.ok(writer.write(edit -> Alarms.acknowledge(edit, alarm, call.caller().name())));
  }

  private Answer changeSettings(Call call) throws IOException, InterruptedException {
    return Answer.ok(
        writer.write(edit -> Figures.change(edit, call.json(), call.caller().name()).json()));
  }

  private Answer audit(Call call) throws IOException, InterruptedException {
    Listing listing = Listing.of(call);
    long before = listing.before();
    return read(session -> {
      List<JsonObject> rows =
          session.all(
              row ->
                  new JsonObject()
                      .with("id", String.valueOf(row.number("seq")))
                      .with("at", Names.time(row.number("at")))
                      .with("who", row.text("who"))
                      .with("operation", row.text("operation"))
                      .with("target", row.text("target"))
                      .with("outcome", row.text("outcome")),
              "SELECT seq, at, who, operation, target, outcome FROM audit WHERE seq < ?"
                  + " ORDER BY seq DESC LIMIT ?",
              before,
              listing.limit());
      return listing.answer("audit", rows, "id");
    });
  }

  private Answer read(Readers.Query<JsonObject> query) throws IOException, InterruptedException {
    return Answer.ok(readers.read(query));
  }

  private static long alarm(Call call) throws IOException {
    String text = call.part("alarm");
    if (!text.matches("[0-9]{1,18}")) {
      throw missing(text);
    }
    return Long.parseLong(text);
  }

  private static ProblemException missing(String alarm) {
    return Names.missing("there is no alarm '" + alarm + "'");
  }
}
