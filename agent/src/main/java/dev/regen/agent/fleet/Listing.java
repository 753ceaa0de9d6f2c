package dev.regen.agent.fleet;

import dev.regen.agent.api.Call;
import dev.regen.agent.api.ProblemException;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A part of a list: at most {@code limit}, after {@code cursor}, which is what the part before gave
 * as {@code next}.
 */
record Listing(int limit, @Nullable String cursor) {
  private static final int LIMIT_MAX = 1_000;
  private static final int LIMIT_DEFAULT = 100;

  static Listing of(Call call) throws IOException {
    String limit = call.query("limit");
    int most = limit == null ? LIMIT_DEFAULT : number(limit);
    if (most < 1 || most > LIMIT_MAX) {
      throw Names.bad("'limit' is a number from 1 to " + LIMIT_MAX);
    }
    return new Listing(most, call.query("cursor"));
  }

  String name() {
    return cursor == null ? "" : cursor;
  }

  /** Of a list that begins with the newest. */
  long before() throws ProblemException {
    if (cursor == null) {
      return Long.MAX_VALUE;
    }
    if (!cursor.matches("[0-9]{1,18}")) {
      throw Names.bad("'cursor' is what an answer before gave as 'next'");
    }
    return Long.parseLong(cursor);
  }

  /**
   * The answer.
   *
   * @param member of a row, by which the next part is found
   */
  JsonObject answer(String name, List<JsonObject> rows, String member) {
    Object next = rows.size() < limit ? null : rows.getLast().members().get(member);
    return new JsonObject()
        .with(name, rows)
        .with("next", next == null ? null : String.valueOf(next));
  }

  private static int number(String text) throws ProblemException {
    if (!text.matches("[0-9]{1,6}")) {
      throw Names.bad("'limit' is a number from 1 to " + LIMIT_MAX);
    }
    return Integer.parseInt(text);
  }
}
