package dev.regen.agent.http;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which resource answers which method and path. A {@code {name}} stands for one part of a path. */
public final class Routes {
  /** Answers one kind of request. */
  @FunctionalInterface
  interface Action {
    Answer answer(Call call) throws IOException, InterruptedException;
  }

  /** An action with the parts of the path that it was found by. */
  record Found(Action action, Map<String, String> parts) {}

  private record Route(String method, List<String> pattern, Action action) {}

  private final List<Route> routes = new ArrayList<>();

  Routes add(String method, String pattern, Action action) {
    routes.add(new Route(method, List.of(pattern.substring(1).split("/", -1)), action));
    return this;
  }

  /** Null if no resource has this path and method. */
  @Nullable Found find(String method, String path) {
    List<String> given = List.of(path.substring(1).split("/", -1));
    for (Route route : routes) {
      Map<String, String> parts = match(route.pattern(), given);
      if (parts != null && route.method().equals(method)) {
        return new Found(route.action(), parts);
      }
    }
    return null;
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
