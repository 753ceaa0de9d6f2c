package dev.regen.agent.api;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an API does, in OpenAPI 3.1; what stands there is checked of each request, so the document
 * and the server cannot differ in it: methods, paths, parameters, fields of bodies and their types,
 * and who may ask ({@code x-regen-role}).
 *
 * <p>Of OpenAPI this reads what the documents here use: parameters and schemas in place, no
 * references for those of requests.
 */
public final class ApiDocument {
  private static final Set<String> METHODS = Set.of("get", "put", "post", "delete", "patch");

  private final JsonObject json;
  private final List<Operation> operations;

  private ApiDocument(JsonObject json, List<Operation> operations) {
    this.json = json;
    this.operations = operations;
  }

  /** Reads the resource {@code openapi.json} beside {@code owner}. */
  public static ApiDocument of(Class<?> owner) {
    try (InputStream in = owner.getResourceAsStream("openapi.json")) {
      if (in == null) {
        throw new IllegalStateException("no openapi.json beside " + owner);
      }
      return parse(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static ApiDocument parse(byte[] document) throws IOException {
    List<Operation> operations = new ArrayList<>();
    JsonObject json = JsonObject.parse(document);
    JsonObject paths = json.object("paths");
    for (String path : paths.members().keySet()) {
      JsonObject methods = paths.object(path);
      for (String method : methods.members().keySet()) {
        if (METHODS.contains(method)) {
          operations.add(operation(path, method, methods.object(method)));
        }
      }
    }
    return new ApiDocument(json, List.copyOf(operations));
  }

  /** As it is served. */
  public JsonObject json() {
    return json;
  }

  public List<Operation> operations() {
    return operations;
  }

  private static Operation operation(String path, String method, JsonObject json)
      throws IOException {
    Set<String> query = new HashSet<>();
    for (JsonObject parameter : json.objects("parameters")) {
      if (parameter.string("in").equals("query")) {
        query.add(parameter.string("name"));
      }
    }
    JsonObject content = content(json);
    boolean bytes = content != null && content.has("application/octet-stream");
    Map<String, String> fields = new LinkedHashMap<>();
    Set<String> adminFields = new HashSet<>();
    if (content != null && !bytes) {
      JsonObject properties =
          content.object("application/json").object("schema").object("properties");
      for (String name : properties.members().keySet()) {
        fields.put(
            name,
            properties.object(name).has("type") ? properties.object(name).string("type") : "any");
        if (properties.object(name).flag("x-regen-admin")) {
          adminFields.add(name);
        }
      }
    }
    return new Operation(
        json.string("operationId"),
        method.toUpperCase(Locale.ROOT),
        List.of(path.substring(1).split("/", -1)),
        Role.of(json.string("x-regen-role")),
        json.flag("x-regen-fleet"),
        query,
        bytes ? Operation.Body.BYTES : Operation.Body.JSON,
        (int) json.numberOr("x-regen-body-bytes", Call.BODY_BYTES_MAX),
        fields,
        adminFields);
  }

  private static @Nullable JsonObject content(JsonObject operation) throws IOException {
    JsonObject body = operation.objectOrNull("requestBody");
    return body == null ? null : body.object("content");
  }
}
