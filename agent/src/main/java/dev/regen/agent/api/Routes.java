package dev.regen.agent.api;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.json.JsonObject;
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

  public Routes(ApiDocument document) {
    this.document = document;
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
   * @param parts what stands in the path at each {@code {name}}
   * @throws ProblemException NOT_FOUND if there is none of this name; FORBIDDEN if {@code caller}
   *     may not
   */
  public Answer perform(String id, Map<String, String> parts, JsonObject body, Principal caller)
      throws IOException, InterruptedException {
    Operation operation = operations.get(id);
    if (operation == null || !actions.containsKey(id)) {
      throw new ProblemException(Failure.Code.NOT_FOUND, "there is no operation '" + id + "'");
    }
    requireRole(operation, caller);
    operation.checkBody(body, caller);
    return answer(operation, Call.of(caller, parts, body));
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
              + caller.role().word());
    }
  }

  Answer answer(Operation operation, Call call) throws IOException, InterruptedException {
    Action action = actions.get(operation.id());
    if (action == null) {
      throw new IllegalStateException("nothing does " + operation.id());
    }
    return action.answer(call);
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
