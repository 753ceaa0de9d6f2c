package dev.regen.agent.node;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Operation;
import dev.regen.agent.api.Principal;
import dev.regen.agent.api.ProblemException;
import dev.regen.agent.api.Role;
import dev.regen.agent.api.Routes;
import dev.regen.agent.jobs.Asked;
import dev.regen.agent.jobs.Failure;
import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.Jobs;
import dev.regen.runtime.Why;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does what the manager asks for, as a job of this agent each. A job is recorded before its work
 * begins, under the fleet's name for it; so what was begun is never begun twice.
 */
final class Orders {
  private static final Logger LOG = LoggerFactory.getLogger(Orders.class);
  private static final int NAME_MAX = 200;

  private final Routes routes;
  private final Jobs jobs;
  private final NodeJobs told;
  private final Inbox inbox;
  private final Outbox outbox;
  private final Set<String> atOnce = new TreeSet<>();

  Orders(Routes routes, Jobs jobs, NodeJobs told, Inbox inbox, Outbox outbox) throws IOException {
    this.routes = routes;
    this.jobs = jobs;
    this.told = told;
    this.inbox = inbox;
    this.outbox = outbox;
    JsonObject paths = routes.document().json().object("paths");
    for (String path : paths.members().keySet()) {
      JsonObject methods = paths.object(path);
      for (String method : methods.members().keySet()) {
        if (methods.members().get(method) instanceof JsonObject operation
            && operation.has("operationId")
            && (!operation.object("responses").has("202")
                || operation.string("operationId").equals("cancelJob"))) {
          atOnce.add(operation.string("operationId"));
        }
      }
    }
  }

  /**
   * Begins an operation that the manager has asked for and has not withdrawn; does nothing if it
   * was begun before.
   */
  void begin(String id, JsonObject message) throws InterruptedException {
    try {
      Job known = told.find(id);
      if (known != null) {
        told.tell(known.json());
      } else {
        perform(id, message);
      }
    } catch (IOException | RuntimeException e) {
      Job begun = told.find(id);
      if (begun != null) {
        // What failed came after.
        told.tell(begun.json());
        inbox.remove(id);
        return;
      }
      Failure failure = e instanceof ProblemException problem ? problem.failure() : Failure.of(e);
      refused(id, failure);
      return;
    }
    inbox.remove(id);
  }

  /** Whether there is a job for it already. */
  boolean isKnown(String id) {
    return told.find(id) != null;
  }

  /** What was asked for is not done, and was not begun. */
  void refused(String id, Failure why) {
    LOG.info("job {} of the fleet is refused: {}", id, why.message());
    outbox.put(
        "refused " + id,
        new JsonObject()
            .with("kind", "refused")
            .with("id", id)
            .with("code", why.code().word())
            .with("message", why.message()),
        () -> inbox.remove(id));
  }

  /** Ends a job, of the fleet or begun here. */
  void cancel(JsonObject message) {
    try {
      JsonObject parts = message.object("parts");
      String fleetJob = parts.string("job");
      Job job = told.find(fleetJob);
      String own = parts.stringOrNull("nodeJob");
      if (job == null && own != null && !own.startsWith("fleet:")) {
        job = jobs.find(own);
      }
      if (job == null) {
        refused(
            fleetJob,
            new Failure(Failure.Code.CANCELLED, "cancelled; this node knows nothing of it"));
      } else {
        told.cancel(job);
      }
    } catch (IOException e) {
      LOG.info("the manager wants a job to end that is not here: {}", Why.of(e));
    }
  }

  /** What the manager asks for on behalf of somebody. */
  static Principal caller(JsonObject message) throws IOException {
    String name = message.string("askedBy").replaceAll("\\p{Cntrl}", " ");
    return new Principal(
        NodeJobs.CALLER + name.substring(0, Math.min(NAME_MAX, name.length())), Role.OPERATE);
  }

  private void perform(String id, JsonObject message) throws IOException, InterruptedException {
    String name = message.string("operation");
    Operation operation = routes.operation(name);
    if (operation == null || !operation.fleet()) {
      throw new ProblemException(
          Failure.Code.BAD_INPUT, "this node does no '" + name + "' for a fleet");
    }
    Map<String, String> parts = new LinkedHashMap<>();
    JsonObject given = message.object("parts");
    for (String part : given.members().keySet()) {
      parts.put(part, given.string(part));
    }
    JsonObject body = message.has("body") ? message.object("body") : new JsonObject();
    Principal caller = caller(message);
    if (atOnce.contains(name)) {
      operation.checkBody(body, caller);
      // It has no job of its own, and must not be done twice either.
      Job _ =
          jobs.once(
              new Asked(caller.name(), NodeJobs.key(id), null, true),
              job -> job,
              () -> jobs.start(name, subject(parts), _ -> result(name, parts, body, caller)));
      return;
    }
    Answer answer = routes.perform(name, parts, body, caller, NodeJobs.key(id));
    LOG.debug("job {} of the fleet: {}", id, answer);
  }

  private JsonObject result(
      String name, Map<String, String> parts, JsonObject body, Principal caller)
      throws IOException, InterruptedException {
    return routes.perform(name, parts, body, caller) instanceof Answer.Json json
        ? json.body()
        : new JsonObject();
  }

  private static String subject(Map<String, String> parts) {
    String queue = parts.getOrDefault("queue", String.join(" ", parts.values()));
    String snapshot = parts.get("snapshot");
    return snapshot == null ? queue : queue + "@" + snapshot;
  }
}
