package dev.regen.agent.fleet;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.ApiDocument;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Operation;
import dev.regen.agent.api.Principal;
import dev.regen.agent.api.ProblemException;
import dev.regen.agent.api.Role;
import dev.regen.agent.api.Routes;
import dev.regen.agent.fleet.db.Readers;
import dev.regen.agent.fleet.db.Writer;
import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Jobs of nodes: asking for them, and how they are. */
final class FleetJobResource {
  private static final long WAIT_MILLIS_MAX = 30_000;
  private static final int PART_MAX = 255;

  /** As what a node does it: nobody gets more of it than this. */
  private static final Role AT_NODE = Role.OPERATE;

  /** Asked for by themselves they could have a container run at two nodes. */
  private static final Set<String> PARTS_OF_MOVES =
      Set.of("leaveQueue", "enterQueue", "abandonQueue", "stayQueue");

  private final Map<String, Operation> operations = new LinkedHashMap<>();
  private final Readers readers;
  private final Writer writer;
  private final JobWaits waits;

  /**
   * @param agents what nodes do
   */
  FleetJobResource(ApiDocument agents, Readers readers, Writer writer, JobWaits waits) {
    this.readers = readers;
    this.writer = writer;
    this.waits = waits;
    for (Operation operation : agents.operations()) {
      if (operation.fleet() && !PARTS_OF_MOVES.contains(operation.id())) {
        operations.put(operation.id(), operation);
      }
    }
  }

  void addTo(Routes routes) {
    routes
        .add("startJob", this::start)
        .add("listJobs", this::list)
        .add("getJob", this::get)
        .add("cancelJob", this::cancel)
        .add("listOperations", _ -> Answer.ok(operations()));
  }

  private Answer start(Call call) throws IOException, InterruptedException {
    JsonObject json = call.json();
    String wanted = json.string("operation");
    Operation operation = operations.get(wanted);
    if (PARTS_OF_MOVES.contains(wanted)) {
      throw Names.refused(
          wanted
              + " is a part of a move: ask for that ('regen move'), cancel it ('regen fleet"
              + " cancel-move'), or say 'regen stay' on the node itself");
    }
    if (operation == null) {
      throw Names.bad("no node does '" + Names.words(wanted) + "' for a fleet");
    }
    Principal caller = call.caller();
    if (!caller.role().includes(operation.role()) || !AT_NODE.includes(operation.role())) {
      throw new ProblemException(
          Failure.Code.FORBIDDEN, operation.id() + " needs the role " + operation.role().word());
    }
    JsonObject body = json.has("body") ? json.object("body") : new JsonObject();
    for (String field : operation.adminFields()) {
      if (body.has(field)) {
        throw new ProblemException(
            Failure.Code.FORBIDDEN,
            "'" + field + "' is not for a fleet to say: a node uses what its configuration names");
      }
    }
    operation.checkBody(body, new Principal(caller.name(), AT_NODE));
    FleetJobs.Wanted asked =
        new FleetJobs.Wanted(
            call.part("node"),
            operation.id(),
            parts(operation, json.has("parts") ? json.object("parts") : new JsonObject()),
            body,
            caller.name(),
            key(call.header("Idempotency-Key")));
    return Answer.accepted(writer.write(edit -> FleetJobs.ask(edit, asked)).json());
  }

  private static Map<String, String> parts(Operation operation, JsonObject given)
      throws IOException {
    Set<String> wanted = new TreeSet<>();
    for (String part : operation.path()) {
      if (part.startsWith("{")) {
        wanted.add(part.substring(1, part.length() - 1));
      }
    }
    if (!given.members().keySet().equals(wanted)) {
      throw Names.bad(
          "the parts of "
              + operation.id()
              + " are "
              + (wanted.isEmpty() ? "none" : String.join(", ", wanted)));
    }
    Map<String, String> parts = new LinkedHashMap<>();
    for (String part : wanted) {
      Object text = given.members().get(part);
      String value = text instanceof String said ? said : "";
      if (value.isEmpty() || value.length() > PART_MAX || value.chars().anyMatch(c -> c < ' ')) {
        throw Names.bad(
            "the part '" + part + "' is no text, empty, too long or has control characters");
      }
      if (part.equals("queue")) {
        Call.queueName(value);
      }
      parts.put(part, value);
    }
    return parts;
  }

  static @Nullable String key(@Nullable String header) throws ProblemException {
    if (header != null && !header.matches("[!-~]{1,128}")) {
      throw Names.bad("an Idempotency-Key has 1 to 128 printable ASCII characters");
    }
    return header;
  }

  private Answer list(Call call) throws IOException, InterruptedException {
    Listing listing = Listing.of(call);
    String node = call.query("node");
    String state = call.query("state");
    long before = listing.before();
    if (state != null && !JobRow.STATES.contains(state)) {
      throw Names.bad("a state is waiting, running, success or failed");
    }
    String sql =
        "SELECT "
            + JobRow.COLUMNS
            + " FROM jobs WHERE seq < ?"
            + (node == null ? "" : " AND node = ?")
            + (state == null ? "" : " AND state = ?")
            + " ORDER BY seq DESC LIMIT ?";
    List<Object> values = new java.util.ArrayList<>(List.of(before));
    if (node != null) {
      values.add(node);
    }
    if (state != null) {
      values.add(state);
    }
    values.add(listing.limit());
    return Answer.ok(
        readers.read(session -> {
          List<JobRow> rows = session.all(JobRow::of, sql, values.toArray());
          return new JsonObject()
              .with("jobs", rows.stream().map(JobRow::json).toList())
              .with(
                  "next",
                  rows.size() < listing.limit() ? null : String.valueOf(rows.getLast().seq()));
        }));
  }

  private Answer get(Call call) throws IOException, InterruptedException {
    String id = call.part("job");
    String wait = call.query("waitMillis");
    if (wait != null && !wait.matches("[0-9]{1,6}")) {
      throw Names.bad("'waitMillis' is a number from 0 to 999999");
    }
    long millis = wait == null ? 0 : Math.min(Long.parseLong(wait), WAIT_MILLIS_MAX);
    JobWaits.Look look = () -> readers.read(session -> FleetJobs.require(session, id));
    return Answer.ok((millis == 0 ? look.now() : waits.await(id, millis, look)).json());
  }

  private Answer cancel(Call call) throws IOException, InterruptedException {
    String id = call.part("job");
    return Answer.accepted(
        writer.write(edit -> FleetJobs.cancel(edit, id, call.caller().name())).json());
  }

  /** What may be asked of a node. */
  private JsonObject operations() {
    return new JsonObject()
        .with(
            "operations",
            operations.values().stream()
                .map(one ->
                    new JsonObject()
                        .with("operation", one.id())
                        .with("role", one.role().word())
                        .with(
                            "parts",
                            one.path().stream()
                                .filter(part -> part.startsWith("{"))
                                .map(part -> part.substring(1, part.length() - 1))
                                .collect(Collectors.toList()))
                        .with("fields", one.fields().keySet().stream().sorted().toList()))
                .toList());
  }
}
