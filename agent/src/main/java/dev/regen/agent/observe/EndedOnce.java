package dev.regen.agent.observe;

import dev.regen.runtime.json.JsonObject;
import java.util.LinkedHashSet;

/** Finds the first telling of each job's end; a job may be told of once more after that. */
final class EndedOnce {
  private static final int REMEMBERED = 1_000;

  private final LinkedHashSet<String> ended = new LinkedHashSet<>();

  synchronized boolean isEnd(JsonObject job) {
    Object state = job.members().get("state");
    boolean ends = "success".equals(state) || "failed".equals(state);
    if (!ends || !ended.add(String.valueOf(job.members().get("id")))) {
      return false;
    }
    if (ended.size() > REMEMBERED) {
      ended.remove(ended.getFirst());
    }
    return true;
  }
}
