package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.dialect.Dialects;
import dev.regen.agent.api.ApiDocument;
import dev.regen.agent.api.Operation;
import dev.regen.agent.api.RawHttp;
import dev.regen.agent.http.ActivityResource;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The API's document, held against itself and against an agent that runs. */
@Timeout(120)
final class ApiDocumentTest extends AgentWithoutEngine {
  private static final ApiDocument DOCUMENT = ApiDocument.of(ActivityResource.class);
  private static final Pattern PART = Pattern.compile("\\{([a-z]+)}");
  private static final SchemaRegistry SCHEMAS =
      SchemaRegistry.withDialect(Dialects.getDraft202012());

  private final Map<String, String> parts =
      new HashMap<>(
          Map.of(
              "queue", "desk",
              "snapshot", "latest",
              "container", "desk",
              "job", "none",
              "mount", "none",
              "token", "olga"));

  /** A request with its status and its answer's head and body. */
  private record Answered(int status, String head, String body) {
    String type() {
      Matcher type = Pattern.compile("(?i)content-type: *([^;\r\n]+)").matcher(head);
      return type.find() ? type.group(1) : "";
    }
  }

  @Test
  void documentIsOpenApi() throws IOException {
    JsonObject json = DOCUMENT.json();
    assertThat(json.string("openapi")).startsWith("3.1.");
    assertThat(json.object("info").string("title")).isNotEmpty();
    assertThat(json.object("info").string("version")).isNotEmpty();

    Set<String> ids = new HashSet<>();
    Set<String> shapes = new HashSet<>();
    for (Operation operation : DOCUMENT.operations()) {
      assertThat(ids.add(operation.id())).as("unique: %s", operation.id()).isTrue();
      String shape = operation.method() + operation.pattern().replaceAll("\\{[^}]*}", "{}");
      assertThat(shapes.add(shape)).as("one operation for %s", shape).isTrue();
      JsonObject told = told(operation);
      Set<String> declared = new TreeSet<>();
      for (JsonObject parameter : told.objects("parameters")) {
        assertThat(parameter.string("in")).isIn("path", "query", "header");
        assertThat(parameter.has("schema")).as(operation.id()).isTrue();
        assertThat(parameter.stringOrNull("description")).as(operation.id()).isNotEmpty();
        if (parameter.string("in").equals("path")) {
          assertThat(parameter.flag("required")).as(operation.id()).isTrue();
          declared.add(parameter.string("name"));
        }
      }
      assertThat(declared).as(operation.id()).isEqualTo(inPath(operation));
      assertThat(told.string("description")).as(operation.id()).isNotEmpty();
      assertThat(told.object("responses").has("default")).as(operation.id()).isTrue();
    }
  }

  @Test
  void everyReferenceLeadsSomewhereAndEverySchemaIsUsed() throws IOException {
    Set<String> named = new TreeSet<>();
    references(DOCUMENT.json(), named);

    for (String reference : named) {
      assertThat(reference).startsWith("#/");
      JsonObject at = DOCUMENT.json();
      for (String step : reference.substring(2).split("/", -1)) {
        at = at.object(step); // Fails, and names it, if it is not there.
      }
    }
    Set<String> schemas = new TreeSet<>();
    for (String name : DOCUMENT.json().object("components").object("schemas").members().keySet()) {
      schemas.add("#/components/schemas/" + name);
    }
    assertThat(named).containsAll(schemas);
  }

  /** What is answered is what the document says, be it done or refused. */
  @Test
  void everyOperationAnswersAsDocumented() throws Exception {
    regen("token", "add", "olga", "--role", "view");
    spool("desk", NINE, "first");
    spool("desk", NINE.plusSeconds(1), "second");
    awaitIdle();
    String job = array(regen("jobs", "--json")).getFirst().string("id");
    Map<String, Integer> statuses = new LinkedHashMap<>();

    for (Operation operation : inOrder()) {
      if (operation.id().equals("followChanges")) {
        continue; // It has no end; its own tests follow it.
      }
      parts.put("job", job);
      Answered answered = ask(operation, body(operation), "");
      check(operation, answered);
      statuses.put(operation.id(), answered.status());
    }

    // Without an engine and a store some have nothing to do; most have.
    assertThat(statuses.values().stream().filter(status -> status < 300).count())
        .as("done: %s", statuses)
        .isGreaterThanOrEqualTo(22);
    assertThat(statuses.values()).as("%s", statuses).doesNotContain(500, 405);
  }

  @Test
  void everyDocumentedFieldIsTakenAndAnyOtherIsRefusedByName() throws Exception {
    for (Operation operation : DOCUMENT.operations()) {
      if (operation.body() != Operation.Body.JSON || operation.id().equals("followChanges")) {
        continue;
      }
      JsonObject wrong = new JsonObject().with("nonsense", 1);
      Answered refused = ask(operation, wrong, "");
      assertThat(refused.status()).as(operation.id()).isEqualTo(400);
      assertThat(refused.body()).as(operation.id()).contains("'nonsense'");
      check(operation, refused);
      Answered parameter = ask(operation, new JsonObject(), "?nonsense=1");
      assertThat(parameter.status()).as(operation.id()).isEqualTo(400);
      assertThat(parameter.body()).as(operation.id()).contains("'nonsense'");
      for (Map.Entry<String, String> field : operation.fields().entrySet()) {
        JsonObject body = new JsonObject().with(field.getKey(), wrongValue(field.getValue()));
        Answered typed = ask(operation, body, "");
        assertThat(typed.status()).as("%s %s", operation.id(), field).isEqualTo(400);
        assertThat(typed.body()).contains("'" + field.getKey() + "' is no " + field.getValue());
        JsonObject right = new JsonObject().with(field.getKey(), rightValue(field.getValue()));
        assertThat(ask(operation, right, "").body())
            .as("%s %s", operation.id(), field)
            .doesNotContain("there is no field", "is no " + field.getValue());
      }
    }
  }

  /** Removals last. */
  private static List<Operation> inOrder() {
    List<Operation> all = new ArrayList<>();
    List<Operation> last = new ArrayList<>();
    for (Operation operation : DOCUMENT.operations()) {
      (operation.method().equals("DELETE") ? last : all).add(operation);
    }
    last.sort((a, b) -> Integer.compare(b.path().size(), a.path().size()));
    all.addAll(last);
    return all;
  }

  /** Nothing that it names is outside of this test's directory: all of it is really done. */
  private JsonObject body(Operation operation) {
    JsonObject body = new JsonObject();
    switch (operation.id()) {
      case "setKeep" -> body.with("keep", 4);
      case "setLabel" -> body.with("name", "label:team").with("value", "blue");
      case "addToken" -> body.with("name", "new").with("role", "view");
      case "addKeys" -> body.with("file", directory.resolve("none/keys.json").toString());
      default -> {
        if (operation.fields().containsKey("store")) {
          body.with("store", "dir:" + directory.resolve("srv"));
        }
        if (operation.fields().containsKey("image")) {
          body.with("image", "regen-test");
        }
      }
    }
    return body;
  }

  private static Object wrongValue(String type) {
    return type.equals("string") ? 1 : "text";
  }

  private static Object rightValue(String type) {
    return switch (type) {
      case "string" -> "";
      case "integer", "number" -> 0;
      case "boolean" -> true;
      case "object" -> new JsonObject();
      default -> List.of();
    };
  }

  private void check(Operation operation, Answered answered) throws IOException {
    JsonObject responses = told(operation).object("responses");
    String status = String.valueOf(answered.status());
    JsonObject response = responses.objectOrNull(status);
    if (response == null) {
      assertThat(answered.status()).as("%s: %s", operation.id(), answered).isGreaterThan(399);
      response = DOCUMENT.json().object("components").object("responses").object("Problem");
    }
    JsonObject content = response.object("content");
    assertThat(content.members().keySet()).as(operation.id()).contains(answered.type());
    JsonObject schema = content.object(answered.type()).objectOrNull("schema");
    if (schema == null) {
      return;
    }
    for (String line : answered.type().endsWith("jsonl") ? lines(answered) : whole(answered)) {
      List<Error> errors = schema(schema).validate(line, InputFormat.JSON);
      assertThat(errors).as("%s answered %s", operation.id(), line).isEmpty();
    }
  }

  private static List<String> whole(Answered answered) {
    return List.of(answered.body());
  }

  private static List<String> lines(Answered answered) {
    return answered.body().lines().filter(line -> line.startsWith("{")).toList();
  }

  private static Schema schema(JsonObject schema) throws IOException {
    JsonObject whole =
        new JsonObject()
            .with("$ref", schema.string("$ref"))
            .with("components", DOCUMENT.json().object("components"));
    return SCHEMAS.getSchema(whole.toString(), InputFormat.JSON);
  }

  private static JsonObject told(Operation operation) throws IOException {
    return DOCUMENT
        .json()
        .object("paths")
        .object(operation.pattern())
        .object(operation.method().toLowerCase(Locale.ROOT));
  }

  private Answered ask(Operation operation, JsonObject body, String query) throws IOException {
    String path = operation.pattern();
    for (Map.Entry<String, String> part : parts.entrySet()) {
      path = path.replace("{" + part.getKey() + "}", part.getValue());
    }
    String text = operation.body() == Operation.Body.JSON ? body.toString() : "no layer";
    try (RawHttp http = RawHttp.unix(directory.resolve("run/regen.sock"))) {
      String answer =
          http.ask(operation.method(), path + query, "Connection: close\r\n", text).answer();
      int head = answer.indexOf("\r\n\r\n");
      return new Answered(
          Integer.parseInt(answer.substring(9, 12)),
          answer.substring(0, head),
          answer.substring(head + 4));
    }
  }

  private static Set<String> inPath(Operation operation) {
    Set<String> names = new TreeSet<>();
    Matcher part = PART.matcher(operation.pattern());
    while (part.find()) {
      names.add(part.group(1));
    }
    return names;
  }

  private static void references(@Nullable Object value, Set<String> into) {
    switch (value) {
      case JsonObject object -> {
        if (object.members().get("$ref") instanceof String reference) {
          into.add(reference);
        }
        object.members().values().forEach(member -> references(member, into));
      }
      case List<?> list -> list.forEach(member -> references(member, into));
      case null, default -> {}
    }
  }
}
