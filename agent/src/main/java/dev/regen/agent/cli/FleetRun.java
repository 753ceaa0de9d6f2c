package dev.regen.agent.cli;

import dev.regen.agent.api.ApiDocument;
import dev.regen.agent.api.Operation;
import dev.regen.agent.http.ActivityResource;
import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;
import java.util.TreeSet;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "run",
    description = {
      "Has a node do something, and follows it to its end: 'regen fleet run n1 captureContainer"
          + " container=desk', 'regen fleet run n1 restoreContainer container=desk at=-1'. A node"
          + " that is away does it when it is back, within the time that 'regen fleet settings'"
          + " says.",
      "Operations are those of the agent's API that it does for a fleet; a name that is none lists"
          + " them."
    })
final class FleetRun extends FleetSubcommand {
  private static final long WAIT_MILLIS = 10_000;

  @Parameters(index = "0", paramLabel = "NODE")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private String node;

  @Parameters(index = "1", paramLabel = "OPERATION")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private String operation;

  @Parameters(
      index = "2..*",
      arity = "0..*",
      paramLabel = "NAME=VALUE",
      description = "What it is done to, and how.")
  private List<String> values = List.of();

  @Option(names = "--no-wait", description = "Print the job's id and leave it.")
  private boolean leave;

  @Override
  void run(FleetClient fleet) throws IOException, InterruptedException {
    JsonObject job = fleet.send("POST", node(node) + "/jobs", asked());
    String path = "/v1/jobs/" + AgentClient.part(job.string("id"));
    if (leave) {
      print(job, job.string("id"));
      return;
    }
    if (job.string("state").equals("waiting")) {
      sayIfAway(fleet, job.string("id"));
    }
    while (!job.string("state").equals("success") && !job.string("state").equals("failed")) {
      job = fleet.patiently(path + "?waitMillis=" + WAIT_MILLIS, this::tell);
    }
    if (job.string("state").equals("failed") && !json) {
      throw new CommandFailure(
          Failure.Code.of(job.stringOrNull("code")), or(job.stringOrNull("message"), "failed"));
    }
    JsonObject result = job.objectOrNull("result");
    print(job, result == null ? "done" : or(result.stringOrNull("message"), "done"));
  }

  /** Who waits for a node that is away is told so. */
  private void sayIfAway(FleetClient fleet, String job) throws IOException, InterruptedException {
    String state = fleet.get(node(node)).string("state");
    if (state.equals("connected")) {
      return;
    }
    long most = fleet.get("/v1/settings").number("awayDeadlineSeconds");
    tell(
        "%s is %s: job %s waits for it, %d s at most; 'regen fleet cancel %s' withdraws it"
            .formatted(node, state.replace('-', ' '), job, most, job));
  }

  private JsonObject asked() throws IOException {
    Operation what = known();
    TreeSet<String> places = new TreeSet<>();
    for (String part : what.path()) {
      if (part.startsWith("{")) {
        places.add(part.substring(1, part.length() - 1));
      }
    }
    JsonObject parts = new JsonObject();
    JsonObject body = new JsonObject();
    for (String value : values) {
      int equals = value.indexOf('=');
      String name = equals < 0 ? value : value.substring(0, equals);
      if (equals > 0 && places.contains(name)) {
        parts.with(name, value.substring(equals + 1));
      } else if (equals > 0 && what.fields().containsKey(name)) {
        body.with(name, typed(name, what.fields().get(name), value.substring(equals + 1)));
      } else {
        TreeSet<String> all = new TreeSet<>(places);
        all.addAll(what.fields().keySet());
        throw usage(
            what.id() + " takes NAME=VALUE of " + String.join(", ", all) + ", not '" + value + "'");
      }
    }
    return new JsonObject().with("operation", what.id()).with("parts", parts).with("body", body);
  }

  private Operation known() {
    List<Operation> all =
        ApiDocument.of(ActivityResource.class).operations().stream()
            .filter(Operation::fleet)
            .toList();
    return all.stream()
        .filter(one -> one.id().equals(operation))
        .findFirst()
        .orElseThrow(() ->
            usage(
                "no node does '"
                    + operation
                    + "' for a fleet; it does "
                    + String.join(", ", all.stream().map(Operation::id).sorted().toList())));
  }

  private static Object typed(String name, String type, String value) {
    return switch (type) {
      case "integer" -> {
        if (!value.matches("-?[0-9]{1,18}")) {
          throw usage("'" + name + "' is a number, not '" + value + "'");
        }
        yield Long.valueOf(value);
      }
      case "boolean" -> {
        if (!value.equals("true") && !value.equals("false")) {
          throw usage("'" + name + "' is true or false, not '" + value + "'");
        }
        yield Boolean.valueOf(value);
      }
      case "array" -> List.of(value.split(",", -1));
      default -> value;
    };
  }

  private static CommandFailure usage(String message) {
    return new CommandFailure(Failure.Code.USAGE, message);
  }
}
