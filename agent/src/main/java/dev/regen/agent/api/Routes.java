package dev.regen.agent.api;

import dev.regen.agent.jobs.Asked;
import dev.regen.agent.jobs.Failure;
import dev.regen.agent.jobs.Jobs;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What does each operation of a document.
 *
 * <p>Bound at start, by one thread; {@link #requireComplete} says when that is done.
 */
public final class Routes {
  /** Answers one kind of request. */
  @FunctionalInterface
  public interface Action {
    Answer answer(Call call) throws IOException, InterruptedException;
  }

  /** An operation with the parts of the path that it was found by. */
  record Found(Operation operation, Map<String, String> parts) {}

  private final ApiDocument document;
  private final Map<String, Operation> operations = new LinkedHashMap<>();
  private final Map<String, Action> actions = new LinkedHashMap<>();
  private final Audit audit;
  private @Nullable Jobs jobs;
  private Meter meter = (_, _, _) -> {};

  public Routes(ApiDocument document) {
    this(document, Audit.none());
  }

  /**
   * As above.
   *
   * @param audit hears of everything that is done here, and of who was refused
   */
  public Routes(ApiDocument document, Audit audit) {
    this.document = document;
    this.audit = audit;
    document.operations().forEach(operation -> operations.put(operation.id(), operation));
    JsonObject json = document.json();
    add("getApi", _ -> Answer.ok(json));
  }

  /**
   * Binds an operation of the document.
   *
   * @param id {@code operationId}
   */
  public Routes add(String id, Action action) {
    if (!operations.containsKey(id)) {
      throw new IllegalStateException("the document has no operation " + id);
    }
    if (actions.putIfAbsent(id, action) != null) {
      throw new IllegalStateException("operation " + id + " is bound already");
    }
    return this;
  }

  /**
   * From now on jobs know who asked for them and for what, and a request with an {@code
   * Idempotency-Key} begins one job, however often it comes.
   */
  public Routes recordIn(Jobs known) {
    jobs = known;
    return this;
  }

  /** From now on {@code told} hears of each request that comes over HTTP. */
  public Routes measureWith(Meter told) {
    meter = told;
    return this;
  }

  Meter meter() {
    return meter;
  }

  /** Everything that the document promises is there. */
  public void requireComplete() {
    Set<String> missing = new TreeSet<>(operations.keySet());
    missing.removeAll(actions.keySet());
    if (!missing.isEmpty()) {
      throw new IllegalStateException("nothing does " + missing);
    }
  }

  public ApiDocument document() {
    return document;
  }

  /**
   * Does an operation that no HTTP request asks for.
   *
   * @param id {@code operationId}
   * @param parts what stands in the path at each {@code {name}}, and parameters by their names
   * @param key by which the job that this begins is known again, and kept until {@link
   *     Jobs#acknowledge}; null for none
   * @throws ProblemException NOT_FOUND if there is none of this name; FORBIDDEN if {@code caller}
   *     may not
   */
  public Answer perform(
      String id, Map<String, String> parts, JsonObject body, Principal caller, @Nullable String key)
      throws IOException, InterruptedException {
    Operation operation = operations.get(id);
    if (operation == null || !actions.containsKey(id)) {
      throw new ProblemException(Failure.Code.NOT_FOUND, "there is no operation '" + id + "'");
    }
    Audited audited = new Audited(audit, "");
    audited.by(caller);
    audited.found(new Found(operation, parts));
    try {
      requireRole(operation, caller);
      operation.checkBody(body, caller);
      Call call = Call.of(operation, caller, parts, body);
      Asked asked = new Asked(caller.name(), key, request(operation, call), key != null);
      Answer answer = answer(operation, call, asked);
      audited.answered(answer);
      return answer;
    } catch (IOException | RuntimeException e) {
      audited.failed(ProblemException.failure(e));
      throw e;
    }
  }

  /** As above, without a key. */
  public Answer perform(String id, Map<String, String> parts, JsonObject body, Principal caller)
      throws IOException, InterruptedException {
    return perform(id, parts, body, caller, null);
  }

  /**
   * Does once more what a job was asked to do by an agent that is gone.
   *
   * @throws IOException also if what was asked for is not known
   */
  public Answer performAgain(Asked asked) throws IOException, InterruptedException {
    JsonObject request = asked.request();
    if (request == null) {
      throw new IOException("what was asked for is not known");
    }
    Operation operation = operations.get(request.string("operation"));
    if (operation == null) {
      throw new IOException("there is no operation " + request.string("operation") + " any more");
    }
    Map<String, String> parts = new LinkedHashMap<>();
    JsonObject told = request.object("parts");
    for (String name : told.members().keySet()) {
      parts.put(name, told.string(name));
    }
    Principal caller = new Principal(asked.by(), Role.of(request.string("role")));
    return answer(operation, Call.of(operation, caller, parts, request.object("body")), asked);
  }

  Audit audit() {
    return audit;
  }

  public @Nullable Operation operation(String id) {
    return operations.get(id);
  }

  /**
   * Finds what answers a request.
   *
   * @throws ProblemException NOT_FOUND if nothing has this path, METHOD_NOT_ALLOWED if something
   *     has, but not with this method
   */
  Found find(String method, String path) throws ProblemException {
    List<String> given = List.of(path.substring(1).split("/", -1));
    Set<String> others = new TreeSet<>();
    for (Operation operation : operations.values()) {
      Map<String, String> parts = match(operation.path(), given);
      if (parts == null) {
        continue;
      }
      if (operation.method().equals(method)) {
        return new Found(operation, parts);
      }
      others.add(operation.method());
    }
    if (others.isEmpty()) {
      throw new ProblemException(
          Failure.Code.NOT_FOUND, "nothing answers here; GET /v1/openapi.json says what does");
    }
    throw new ProblemException(
        Failure.Code.METHOD_NOT_ALLOWED, "this answers " + String.join(", ", others) + " alone");
  }

  static void requireRole(Operation operation, Principal caller) throws ProblemException {
    if (!caller.role().includes(operation.role())) {
      throw new ProblemException(
          Failure.Code.FORBIDDEN,
          operation.id()
              + " needs the role "
              + operation.role().word()
              + "; "
              + caller.name()
              + " has "
              + caller.role().word()
              + ": ask for a token with that role");
    }
  }

  /**
   * Does what is asked for.
   *
   * @throws RegenException.BadInput also if the body lacks a member that it needs
   */
  Answer answer(Operation operation, Call call) throws IOException, InterruptedException {
    try {
      return answered(operation, call);
    } catch (JsonObject.Unfit e) {
      if (e.isOf(call.json())) {
        throw new RegenException.BadInput("the request's body: " + e.getMessage());
      }
      throw e;
    }
  }

  private Answer answered(Operation operation, Call call) throws IOException, InterruptedException {
    if (operation.method().equals("GET")) {
      return action(operation).answer(call);
    }
    // Bytes that have been read cannot be compared with others, nor be read again.
    boolean known = operation.body() == Operation.Body.JSON;
    return answer(
        operation,
        call,
        new Asked(
            call.caller().name(),
            known ? call.idempotencyKey() : null,
            known ? request(operation, call) : null,
            false));
  }

  private Answer answer(Operation operation, Call call, Asked asked)
      throws IOException, InterruptedException {
    Action action = action(operation);
    return jobs == null
        ? action.answer(call)
        : jobs.once(asked, job -> Answer.accepted(job.json()), () -> action.answer(call));
  }

  private Action action(Operation operation) {
    Action action = actions.get(operation.id());
    if (action == null) {
      throw new IllegalStateException("nothing does " + operation.id());
    }
    return action;
  }

  /** All that is needed to ask for the same once more, see {@link #performAgain}. */
  private static JsonObject request(Operation operation, Call call) {
    JsonObject parts = new JsonObject();
    call.parameters().forEach(parts::with);
    return new JsonObject()
        .with("operation", operation.id())
        .with("parts", parts)
        .with("body", call.json())
        .with("role", call.caller().role().word());
  }

  private static @Nullable Map<String, String> match(List<String> pattern, List<String> given) {
    if (pattern.size() != given.size()) {
      return null;
    }
    Map<String, String> parts = new LinkedHashMap<>();
    for (int i = 0; i < pattern.size(); i++) {
      String expected = pattern.get(i);
      if (expected.startsWith("{")) {
        parts.put(expected.substring(1, expected.length() - 1), given.get(i));
      } else if (!expected.equals(given.get(i))) {
        return null;
      }
    }
    return parts;
  }
}
