package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/** How fast each server of a store is, over the last seconds that were looked at. */
final class ServerRates {
  private static final double SECONDS_MIN = 1;

  private final Map<String, Rate> rates = new HashMap<>();
  private List<JsonObject> servers = List.of();

  private record Rate(long sinceNanos, long fromBytes, long perSecond) {}

  /** Takes in how far a job is now. */
  void look(JsonObject job) throws IOException {
    servers = job.has("servers") ? job.objects("servers") : List.of();
    long now = System.nanoTime();
    for (JsonObject server : servers) {
      String name = server.string("server");
      long bytes = server.number("bytes");
      Rate rate = rates.computeIfAbsent(name, _ -> new Rate(now, bytes, -1));
      double seconds = (now - rate.sinceNanos()) / 1e9;
      if (seconds >= SECONDS_MIN) {
        rates.put(name, new Rate(now, bytes, (long) ((bytes - rate.fromBytes()) / seconds)));
      }
    }
  }

  /** For a person: empty for a single server, whose rate is that of all, or while none is known. */
  String words() throws IOException {
    StringJoiner words = new StringJoiner(", ", " (", ")");
    boolean known = servers.size() > 1;
    for (JsonObject server : servers) {
      String name = server.string("server");
      long rate = perSecond(name);
      known &= rate >= 0;
      words.add(name.replaceFirst("^https?://", "") + " " + Sizes.of(Math.max(0, rate)) + "/s");
    }
    return known ? words.toString() : "";
  }

  /** For a program. */
  List<JsonObject> json() throws IOException {
    List<JsonObject> all = new ArrayList<>();
    for (JsonObject server : servers) {
      String name = server.string("server");
      long rate = perSecond(name);
      all.add(
          new JsonObject()
              .with("server", name)
              .with("bytes", server.number("bytes"))
              .with("bytesPerSecond", rate < 0 ? null : rate)
              .with("atOnce", server.number("atOnce")));
    }
    return all;
  }

  private long perSecond(String server) {
    Rate rate = rates.get(server);
    return rate == null ? -1 : rate.perSecond();
  }
}
