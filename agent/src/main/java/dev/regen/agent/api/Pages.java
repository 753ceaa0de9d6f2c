package dev.regen.agent.api;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Lists in pages: {@code ?limit=} rows at most, and where {@code next} is not null the rest is
 * found with {@code ?cursor=} that. A cursor names the row before, not its number; so what is added
 * or removed meanwhile makes no row come twice or be left out.
 */
public final class Pages {
  /** What a page has at most, and has if nothing is said. */
  public static final int ROWS_MAX = 1_000;

  private static final String NEXT = "next";
  private static final int KEY_MAX = 180;

  private Pages() {}

  /** Finds rows that have numbers. */
  @FunctionalInterface
  public interface Numbered {
    /** The newest {@code most} of those with a lower number {@code id}, oldest first. */
    List<JsonObject> newest(long before, int most) throws IOException;
  }

  /**
   * A page of a list, from its beginning.
   *
   * @param name of the list, in the answer
   * @param key of a row, unlike all others'; the list is put in the order of the keys
   * @throws RegenException.BadInput if {@code limit} or {@code cursor} is none
   */
  public static <T> Answer of(
      Call call,
      String name,
      List<T> all,
      Function<? super T, String> key,
      Function<? super T, JsonObject> json)
      throws RegenException {
    return Answer.ok(page(call, name, all, key, json));
  }

  /** As {@link #of}, for an answer that says more. */
  public static <T> JsonObject page(
      Call call,
      String name,
      List<T> all,
      Function<? super T, String> key,
      Function<? super T, JsonObject> json)
      throws RegenException {
    int limit = limit(call);
    String after = cursor(call, name);
    List<JsonObject> rows = new ArrayList<>();
    String last = null;
    boolean more = false;
    List<T> sorted = all.stream().sorted(Comparator.comparing(key)).toList();
    for (T row : sorted) {
      if (after != null && key.apply(row).compareTo(after) <= 0) {
        continue;
      }
      if (rows.size() == limit) {
        more = true;
        break;
      }
      rows.add(json.apply(row));
      last = key.apply(row);
    }
    return new JsonObject()
        .with(name, rows)
        .with(NEXT, more && last != null ? text(name, last) : null);
  }

  /**
   * A page of a list that grows at its end: the newest rows, oldest of them first; the next page
   * has those before.
   */
  public static Answer newest(Call call, String name, Numbered all) throws IOException {
    int limit = limit(call);
    String before = cursor(call, name);
    if (before != null && !before.matches("[0-9]{1,18}")) {
      throw noCursor();
    }
    long from = before == null ? Long.MAX_VALUE : Long.parseLong(before);
    List<JsonObject> rows = all.newest(from, limit + 1);
    boolean more = rows.size() > limit;
    List<JsonObject> page = more ? rows.subList(rows.size() - limit, rows.size()) : rows;
    // Lines of an earlier version have no number, and no page of their own.
    long first = page.isEmpty() ? 0 : page.getFirst().numberOr("id", 0);
    return Answer.ok(
        new JsonObject()
            .with(name, page)
            .with(NEXT, more && first > 0 ? text(name, String.valueOf(first)) : null));
  }

  /** As {@link #newest}, of rows in memory, oldest first, whose keys are in their order. */
  public static <T> Answer newest(
      Call call,
      String name,
      List<T> all,
      Function<? super T, String> key,
      Function<? super T, JsonObject> json)
      throws RegenException {
    int limit = limit(call);
    String before = cursor(call, name);
    List<T> rows =
        all.stream()
            .filter(row -> before == null || key.apply(row).compareTo(before) < 0)
            .sorted(Comparator.comparing(key))
            .toList();
    List<T> page = rows.subList(Math.max(0, rows.size() - limit), rows.size());
    boolean more = page.size() < rows.size() && !page.isEmpty();
    return Answer.ok(
        new JsonObject()
            .with(name, page.stream().map(json).toList())
            .with(NEXT, more ? text(name, key.apply(page.getFirst())) : null));
  }

  /** How many rows a page may have. */
  public static int limit(Call call) throws RegenException {
    String text = call.query("limit");
    if (text == null) {
      return ROWS_MAX;
    }
    if (!text.matches("[0-9]{1,6}") || Integer.parseInt(text) < 1) {
      throw new RegenException.BadInput("'limit' is a number from 1 to 999999");
    }
    return Math.min(ROWS_MAX, Integer.parseInt(text));
  }

  private static @Nullable String cursor(Call call, String name) throws RegenException {
    String text = call.query("cursor");
    if (text == null) {
      return null;
    }
    String key;
    try {
      key = new String(Base64.getUrlDecoder().decode(text), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw noCursor();
    }
    String prefix = name + ":";
    if (!key.startsWith(prefix) || !text(key).equals(text)) {
      throw noCursor();
    }
    return key.substring(prefix.length());
  }

  private static RegenException noCursor() {
    return new RegenException.BadInput("'cursor' is not the 'next' of an answer of this list");
  }

  private static String text(String name, String key) {
    if (key.length() > KEY_MAX) {
      throw new IllegalStateException("a key of the list " + name + " is too long for a cursor");
    }
    return text(name + ":" + key);
  }

  private static String text(String key) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(key.getBytes(StandardCharsets.UTF_8));
  }
}
