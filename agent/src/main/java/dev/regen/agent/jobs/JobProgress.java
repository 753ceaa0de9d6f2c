package dev.regen.agent.jobs;

import dev.regen.runtime.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** How far an operation is. Safe for several threads. */
final class JobProgress {
  private String step = "";
  private long entries;
  private long bytes;
  private long entriesExpected;
  private long bytesExpected;
  private final Map<String, Served> servers = new LinkedHashMap<>();
  private long changes;

  private record Served(long from, long bytes, int atOnce) {}

  synchronized void step(String words) {
    step = words;
    changes++;
  }

  synchronized void expected(long entriesInAll, long bytesInAll) {
    entriesExpected = entriesInAll;
    bytesExpected = bytesInAll;
    entries = 0;
    bytes = 0;
    changes++;
  }

  synchronized void advanced(long entriesSoFar, long tarBytes) {
    entries = entriesSoFar;
    bytes = tarBytes;
    changes++;
  }

  synchronized void served(String server, long bytesSoFar, int atOnce) {
    Served before = servers.get(server);
    long from = before == null ? bytesSoFar : before.from();
    servers.put(server, new Served(from, bytesSoFar, atOnce));
    changes++;
  }

  /** Grows with each change. */
  synchronized long changes() {
    return changes;
  }

  synchronized void addTo(JsonObject json) {
    json.with("step", step).with("entries", entries).with("bytes", bytes);
    if (entriesExpected > 0) {
      json.with("entriesExpected", entriesExpected).with("bytesExpected", bytesExpected);
    }
    if (!servers.isEmpty()) {
      List<JsonObject> all = new ArrayList<>();
      servers.forEach((server, one) ->
          all.add(
              new JsonObject()
                  .with("server", server)
                  .with("bytes", one.bytes() - one.from())
                  .with("atOnce", one.atOnce())));
      json.with("servers", all);
    }
  }
}
