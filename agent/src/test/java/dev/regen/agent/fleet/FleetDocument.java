package dev.regen.agent.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.dialect.Dialects;
import dev.regen.agent.api.ApiDocument;
import dev.regen.agent.api.Operation;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Holds what a manager answers against its document. */
final class FleetDocument {
  private static final ApiDocument DOCUMENT = ApiDocument.of(Fleet.class);
  private static final SchemaRegistry SCHEMAS =
      SchemaRegistry.withDialect(Dialects.getDraft202012());
  private static final Map<String, Schema> KNOWN = new ConcurrentHashMap<>();

  private FleetDocument() {}

  /** Fails if the document has not that answer for what was asked. */
  static void check(String method, String path, int status, String body) throws IOException {
    Operation operation = operation(method, path.replaceFirst("[?].*", ""));
    if (operation == null) {
      assertThat(status).as("%s %s", method, path).isGreaterThanOrEqualTo(400);
      return;
    }
    JsonObject response =
        DOCUMENT
            .json()
            .object("paths")
            .object(operation.pattern())
            .object(method.toLowerCase(Locale.ROOT))
            .object("responses")
            .objectOrNull(String.valueOf(status));
    if (response == null) {
      assertThat(status).as("%s: %s", operation.id(), body).isGreaterThanOrEqualTo(400);
      response = DOCUMENT.json().object("components").object("responses").object("Problem");
    }
    JsonObject content = response.object("content");
    String type = content.members().keySet().iterator().next();
    JsonObject schema = content.object(type).objectOrNull("schema");
    if (schema != null && type.endsWith("json")) {
      List<Error> errors = schema(schema.string("$ref")).validate(body, InputFormat.JSON);
      assertThat(errors).as("%s answered %s", operation.id(), body).isEmpty();
    }
  }

  private static @Nullable Operation operation(String method, String path) {
    for (Operation operation : DOCUMENT.operations()) {
      if (operation.method().equals(method)
          && path.matches(operation.pattern().replaceAll("\\{[a-z]+}", "[^/]+"))) {
        return operation;
      }
    }
    return null;
  }

  private static Schema schema(String reference) {
    return KNOWN.computeIfAbsent(
        reference,
        name ->
            SCHEMAS.getSchema(
                new JsonObject()
                    .with("$ref", name)
                    .with("components", DOCUMENT.json().members().get("components"))
                    .toString(),
                InputFormat.JSON));
  }
}
