package dev.regen.agent.api;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.json.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One thing that an API does, as its document says.
 *
 * @param id {@code operationId}
 * @param path its parts; {@code {name}} stands for any one part
 * @param role who may ask for it
 * @param fleet whether the manager may ask a node for it
 * @param query the parameters that there are
 * @param body what a request's body is
 * @param bodyBytesMax the most that a JSON body may have
 * @param fields of a JSON body, with their types; empty for other bodies
 * @param adminFields those that only an administrator may say
 */
public record Operation(
    String id,
    String method,
    List<String> path,
    Role role,
    boolean fleet,
    Set<String> query,
    Body body,
    int bodyBytesMax,
    Map<String, String> fields,
    Set<String> adminFields) {
  /** What a request's body may be. */
  public enum Body {
    /** A JSON object; nothing is an empty one. */
    JSON,
    /** Bytes, read as they come. */
    BYTES
  }

  public Operation {
    path = List.copyOf(path);
    query = Set.copyOf(query);
    fields = Map.copyOf(fields);
    adminFields = Set.copyOf(adminFields);
  }

  /** The path as the document has it. */
  public String pattern() {
    return "/" + String.join("/", path);
  }

  /** Whether the audit log has it: it changes something, or reads what snapshots hold. */
  boolean changes() {
    return !method.equals("GET") || role.includes(Role.OPERATE);
  }

  void checkQuery(Map<String, String> given) throws ProblemException {
    for (String name : given.keySet()) {
      if (!query.contains(name)) {
        throw bad("there is no parameter '" + name + "' here", query);
      }
    }
  }

  /**
   * Checks the fields of a body.
   *
   * @throws ProblemException BAD_INPUT if there is no such field, or its value is of another type;
   *     FORBIDDEN if {@code caller} may not say it
   */
  public void checkBody(JsonObject given, Principal caller) throws ProblemException {
    for (Map.Entry<String, @Nullable Object> member : given.members().entrySet()) {
      String name = member.getKey();
      String type = fields.get(name);
      if (type == null) {
        throw bad("there is no field '" + name + "' here", fields.keySet());
      }
      Object value = member.getValue();
      if (value != null && !fits(type, value)) {
        throw new ProblemException(Failure.Code.BAD_INPUT, "'" + name + "' is no " + type);
      }
      if (value != null && adminFields.contains(name) && !caller.role().includes(Role.ADMIN)) {
        throw new ProblemException(
            Failure.Code.FORBIDDEN,
            "'" + name + "' names a place of your own: that needs the role admin");
      }
    }
  }

  private static boolean fits(String type, Object value) {
    return switch (type) {
      case "any" -> true;
      case "string" -> value instanceof String;
      case "integer" -> value instanceof Long;
      case "number" -> value instanceof Long || value instanceof Double;
      case "boolean" -> value instanceof Boolean;
      case "object" -> value instanceof JsonObject;
      case "array" -> value instanceof List<?>;
      default -> throw new IllegalStateException("the document has a type " + type);
    };
  }

  private static ProblemException bad(String what, Set<String> known) {
    return new ProblemException(
        Failure.Code.BAD_INPUT,
        what
            + (known.isEmpty()
                ? ""
                : "; there are " + known.stream().sorted().collect(Collectors.joining(", "))));
  }
}
