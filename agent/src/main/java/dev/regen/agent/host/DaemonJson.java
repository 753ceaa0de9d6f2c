package dev.regen.agent.host;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.StringReader;
import org.jspecify.annotations.Nullable;

/**
 * The text of an engine's {@code daemon.json}, edited in place: every character that is not part of
 * the edit stays as it was, number formats, order and white space included.
 *
 * <p>What is no JSON object, or names a member twice, is refused: nobody can tell what the engine
 * reads there.
 */
public record DaemonJson(String text) {
  static final int LENGTH_MAX = 1 << 20;

  private static final String RUNTIMES = "runtimes";
  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder().maxNestingDepth(JsonObject.DEPTH_MAX).build())
          .build();

  /**
   * A member of an object: from its name's first quote to behind its value.
   *
   * @param object whether the value is an object
   */
  private record Member(int start, int valueStart, int end, boolean object) {}

  /**
   * The same with the runtime {@code name} at {@code path}; what is there under that name is
   * replaced.
   *
   * @throws IOException if the text is no configuration that can be edited, with the place
   */
  public DaemonJson with(String name, String path) throws IOException {
    String value = "{\"path\": " + quoted(path) + "}";
    String entry = quoted(name) + ": " + value;
    if (text.isBlank()) {
      return new DaemonJson("{\n  \"runtimes\": {\n    " + entry + "\n  }\n}\n");
    }
    Member runtimes = find(RUNTIMES);
    if (runtimes == null) {
      return insertFirst(text.indexOf('{'), "\"runtimes\": {" + entry + "}", "  ");
    }
    if (!runtimes.object()) {
      throw new IOException("\"runtimes\" is no object");
    }
    Member there = find(RUNTIMES, name);
    if (there == null) {
      return insertFirst(runtimes.valueStart(), entry, "    ");
    }
    return path.equals(path(name))
        ? this
        : new DaemonJson(
            text.substring(0, there.valueStart()) + value + text.substring(there.end()));
  }

  /**
   * The same without the runtime {@code name}.
   *
   * @param emptied whether to take {@code runtimes} out as well once nothing is left in it
   */
  public DaemonJson without(String name, boolean emptied) throws IOException {
    Member there = text.isBlank() ? null : find(RUNTIMES, name);
    if (there == null) {
      return this;
    }
    DaemonJson rest = cut(there);
    boolean empty = JsonObject.parse(rest.text()).object(RUNTIMES).members().isEmpty();
    Member runtimes = rest.find(RUNTIMES);
    return empty && emptied && runtimes != null ? rest.cut(runtimes) : rest;
  }

  /** Where the runtime {@code name} is said to be, or null. */
  public @Nullable String path(String name) throws IOException {
    if (text.isBlank()) {
      return null;
    }
    JsonObject runtimes = JsonObject.parse(text).objectOrNull(RUNTIMES);
    JsonObject runtime = runtimes == null ? null : runtimes.objectOrNull(name);
    return runtime == null ? null : runtime.stringOrNull("path");
  }

  boolean hasRuntimes() throws IOException {
    return !text.isBlank() && find(RUNTIMES) != null;
  }

  /** Puts a member first into the object that begins at {@code brace}, on a line of its own. */
  private DaemonJson insertFirst(int brace, String member, String indent) {
    String after = text.substring(brace + 1);
    boolean empty = after.stripLeading().startsWith("}");
    boolean lines = after.startsWith("\n") || after.startsWith("\r\n");
    String inserted = lines ? "\n" + indent + member : member;
    String separator = empty ? "" : lines ? "," : ", ";
    return new DaemonJson(text.substring(0, brace + 1) + inserted + separator + after);
  }

  /** Takes a member out, with one comma and the white space before it. */
  private DaemonJson cut(Member member) {
    int start = member.start();
    while (Character.isWhitespace(text.charAt(start - 1))) {
      start--;
    }
    int end = member.end();
    int next = end;
    while (Character.isWhitespace(text.charAt(next))) {
      next++;
    }
    if (text.charAt(next) == ',') {
      end = next + 1;
      if (text.charAt(start - 1) == '{' && start == member.start() && text.charAt(end) == ' ') {
        end++;
      }
    } else if (text.charAt(start - 1) == ',') {
      start--;
    }
    return new DaemonJson(text.substring(0, start) + text.substring(end));
  }

  private @Nullable Member find(String... path) throws IOException {
    try (JsonParser parser = FACTORY.createParser(new StringReader(text))) {
      parser.enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new IOException("it is no JSON object");
      }
      Member found = find(parser, path, 0);
      if (parser.nextToken() != null) {
        throw new IOException("something follows the JSON object");
      }
      return found;
    }
  }

  /** Reads one object to its end. */
  private static @Nullable Member find(JsonParser parser, String[] path, int depth)
      throws IOException {
    Member found = null;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      boolean named = depth < path.length && path[depth].equals(parser.currentName());
      int start = (int) parser.currentTokenLocation().getCharOffset();
      JsonToken value = parser.nextToken();
      int valueStart = (int) parser.currentTokenLocation().getCharOffset();
      boolean last = depth == path.length - 1;
      if (named && !last && value == JsonToken.START_OBJECT) {
        found = find(parser, path, depth + 1);
        continue;
      }
      skip(parser);
      if (named && last) {
        int end = (int) parser.currentLocation().getCharOffset();
        found = new Member(start, valueStart, end, value == JsonToken.START_OBJECT);
      }
    }
    return found;
  }

  private static void skip(JsonParser parser) throws IOException {
    if (parser.currentToken().isStructStart()) {
      parser.skipChildren();
    } else {
      parser.getText();
    }
  }

  private static String quoted(String text) {
    String json = new JsonObject().with("", text).toString();
    return json.substring("{\"\":".length(), json.length() - 1);
  }
}
