package dev.regen.runtime.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object, its members in order. A getter fails with an {@link IOException} that names the
 * member where one is missing or of another type.
 *
 * <p>Members hold {@code String}, {@code Long}, {@code Double}, {@code Boolean}, {@code
 * JsonObject}, {@code List} of these, or null.
 */
public final class JsonObject {
  public static final int DEPTH_MAX = 64;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(DEPTH_MAX)
                  .maxStringLength(4 << 20)
                  .build())
          .build();

  private final Map<String, @Nullable Object> members = new LinkedHashMap<>();

  /** Reads one object and nothing after it; a member named twice is an error. */
  public static JsonObject parse(byte[] json) throws IOException {
    return parse(json, Long.MAX_VALUE);
  }

  /**
   * As above, of somebody who may want to fill the memory: a value of three bytes takes a hundred.
   *
   * @param valuesMax the most values that may be in it, in objects and lists of any depth
   */
  public static JsonObject parse(byte[] json, long valuesMax) throws IOException {
    try (JsonParser parser = FACTORY.createParser(json)) {
      parser.enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new IOException("not a JSON object");
      }
      JsonObject object = readObject(parser, new Budget(valuesMax));
      if (parser.nextToken() != null) {
        throw new IOException("more follows the JSON object");
      }
      return object;
    } catch (JsonProcessingException e) {
      JsonLocation at = e.getLocation();
      throw new IOException(
          "no JSON"
              + (at == null ? "" : " from line " + at.getLineNr() + ", column " + at.getColumnNr())
              + ": "
              + e.getOriginalMessage()
                  .replaceFirst(" \\(start marker at .*", "")
                  // It may be a secret that somebody forgot to quote.
                  .replaceFirst("Unrecognized token '.*?'", "unquoted text"),
          e);
    }
  }

  public static JsonObject parse(String json) throws IOException {
    return parse(json.getBytes(StandardCharsets.UTF_8));
  }

  /** Sets a member; an {@link Instant} is written in RFC 3339, an enum by its name. */
  public JsonObject with(String name, @Nullable Object value) {
    members.put(name, plain(value));
    return this;
  }

  public boolean has(String name) {
    return members.get(name) != null;
  }

  /** An object that lacks a member, or has another type of it. */
  public static final class Unfit extends IOException {
    private static final long serialVersionUID = 1;

    private final transient @Nullable JsonObject object;

    Unfit(JsonObject object, String message) {
      super(message);
      this.object = object;
    }

    /** Whether it is that very object. */
    @SuppressWarnings("ReferenceEquality")
    public boolean isOf(JsonObject other) {
      return object == other;
    }
  }

  public Map<String, @Nullable Object> members() {
    return members;
  }

  public String string(String name) throws IOException {
    return required(name, String.class);
  }

  public @Nullable String stringOrNull(String name) throws IOException {
    return has(name) ? string(name) : null;
  }

  public long number(String name) throws IOException {
    return required(name, Long.class);
  }

  public long numberOr(String name, long other) throws IOException {
    return has(name) ? number(name) : other;
  }

  public boolean flag(String name) throws IOException {
    return has(name) && required(name, Boolean.class);
  }

  public Instant instant(String name) throws IOException {
    String text = string(name);
    try {
      return Instant.parse(text);
    } catch (DateTimeParseException e) {
      throw new IOException("'" + name + "' is no time: " + text, e);
    }
  }

  public JsonObject object(String name) throws IOException {
    return required(name, JsonObject.class);
  }

  public @Nullable JsonObject objectOrNull(String name) throws IOException {
    return has(name) ? object(name) : null;
  }

  /** The strings of an array; empty where there is no such member. */
  public List<String> strings(String name) throws IOException {
    return list(name, String.class);
  }

  /** The objects of an array; empty where there is no such member. */
  public List<JsonObject> objects(String name) throws IOException {
    return list(name, JsonObject.class);
  }

  public byte[] bytes() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator generator = FACTORY.createGenerator(out)) {
      write(generator, this);
    } catch (IOException e) {
      throw new IllegalStateException("writing to memory failed", e);
    }
    return out.toByteArray();
  }

  @Override
  public String toString() {
    return new String(bytes(), StandardCharsets.UTF_8);
  }

  private <T> T required(String name, Class<T> type) throws IOException {
    Object value = members.get(name);
    if (!type.isInstance(value)) {
      throw new Unfit(
          this, "'" + name + "' is " + (value == null ? "missing" : "no " + word(type)));
    }
    return type.cast(value);
  }

  private <T> List<T> list(String name, Class<T> type) throws IOException {
    if (!has(name)) {
      return List.of();
    }
    List<T> all = new ArrayList<>();
    for (Object value : required(name, List.class)) {
      if (!type.isInstance(value)) {
        throw new IOException("'" + name + "' holds something that is no " + word(type));
      }
      all.add(type.cast(value));
    }
    return all;
  }

  private static String word(Class<?> type) {
    return switch (type.getSimpleName()) {
      case "String" -> "text";
      case "Long", "Double" -> "number";
      case "Boolean" -> "true or false";
      case "List" -> "array";
      default -> "object";
    };
  }

  private static @Nullable Object plain(@Nullable Object value) {
    return switch (value) {
      case null -> null;
      case Integer number -> number.longValue();
      case Long number -> number;
      case Double number -> number;
      case Boolean flag -> flag;
      case String text -> text;
      case JsonObject object -> object;
      case List<?> list -> list.stream().map(JsonObject::plain).toList();
      case Instant time -> time.toString();
      case Enum<?> constant -> constant.name();
      default -> throw new IllegalArgumentException("no JSON form for " + value.getClass());
    };
  }

  /** How many values may still come. */
  private static final class Budget {
    private long left;

    Budget(long most) {
      left = most;
    }

    void take() throws IOException {
      if (--left < 0) {
        throw new IOException("it has too many values for its length");
      }
    }
  }

  private static JsonObject readObject(JsonParser parser, Budget budget) throws IOException {
    JsonObject object = new JsonObject();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      object.members.put(name, readValue(parser, budget));
    }
    return object;
  }

  private static @Nullable Object readValue(JsonParser parser, Budget budget) throws IOException {
    budget.take();
    return switch (parser.currentToken()) {
      case START_OBJECT -> readObject(parser, budget);
      case START_ARRAY -> {
        List<@Nullable Object> values = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          values.add(readValue(parser, budget));
        }
        yield values;
      }
      case VALUE_STRING -> parser.getText();
      case VALUE_NUMBER_INT ->
          parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
              ? (Object) parser.getDoubleValue()
              : (Object) parser.getLongValue();
      case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      default -> throw new IOException("unexpected JSON: " + parser.currentToken());
    };
  }

  private static void write(JsonGenerator generator, @Nullable Object value) throws IOException {
    switch (value) {
      case null -> generator.writeNull();
      case String text -> generator.writeString(text);
      case Long number -> generator.writeNumber(number);
      case Double number -> generator.writeNumber(number);
      case Boolean flag -> generator.writeBoolean(flag);
      case JsonObject object -> {
        generator.writeStartObject();
        for (Map.Entry<String, @Nullable Object> member : object.members.entrySet()) {
          generator.writeFieldName(member.getKey());
          write(generator, member.getValue());
        }
        generator.writeEndObject();
      }
      case List<?> list -> {
        generator.writeStartArray();
        for (Object element : list) {
          write(generator, element);
        }
        generator.writeEndArray();
      }
      default -> throw new IllegalStateException("no JSON form for " + value.getClass());
    }
  }
}
