package dev.regen.agent.fleet;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;

/**
 * A node with ten containers that does nothing, as the protocol wants it: it asks before it begins,
 * begins what it was sent once, and tells until it is heard. It never dies, so what it remembers
 * stands for what a node has on its disk.
 */
final class LoadNode implements AutoCloseable {
  private static final int QUEUES = 10;
  private static final int SNAPSHOTS = 5;
  private static final long WORK_MILLIS = 100;
  private static final long RUNNING = 1L << 40;

  private final URI manager;
  private final String name;
  private final String token;
  private final LoadConnection reports;
  private final Consumer<String> heard;
  private final Consumer<String> ran;
  private final Set<String> seen = ConcurrentHashMap.newKeySet();
  private volatile boolean connected;
  private volatile boolean closed;

  /**
   * Connects, and again whenever that breaks.
   *
   * @param heard is told each job that has come the first time
   * @param ran is told each job as it is begun
   */
  LoadNode(URI manager, String name, String token, Consumer<String> heard, Consumer<String> ran) {
    this.manager = manager;
    this.name = name;
    this.token = token;
    this.heard = heard;
    this.ran = ran;
    this.reports = new LoadConnection(manager, token);
    Thread.ofVirtual().start(this::follow);
  }

  boolean connected() {
    return connected;
  }

  @Override
  public void close() throws IOException {
    closed = true;
    reports.close();
  }

  private void follow() {
    long last = 0;
    long pauseMillis = 100;
    while (!closed) {
      try (LoadConnection connection = new LoadConnection(manager, token)) {
        InputStream in =
            connection.stream("/v1/nodes/" + name + "/messages", "Last-Event-ID: " + last + "\r\n");
        connected = true;
        pauseMillis = 100;
        Thread.ofVirtual().start(() -> tell(inventory()));
        while (!closed) {
          String line = LoadConnection.line(in);
          if (line.startsWith("id: ")) {
            last = Long.parseLong(line.substring(4));
          } else if (line.startsWith("data: ")) {
            take(JsonObject.parse(line.substring(6)));
          }
        }
      } catch (IOException e) {
        connected = false;
        pauseMillis = Math.min(5_000, 2 * pauseMillis);
        pause(pauseMillis / 2 + ThreadLocalRandom.current().nextLong(pauseMillis));
      }
    }
  }

  private void take(JsonObject message) throws IOException {
    String id = message.string("id");
    if (message.string("kind").equals("operation") && seen.add(id)) {
      heard.accept(id);
      Thread.ofVirtual().start(() -> work(id));
    }
  }

  private void work(String id) {
    if (tell(job(id, "fleet:" + id, "waiting", 0)).contains(id)) {
      return;
    }
    ran.accept(id);
    tell(job(id, "n" + id, "running", RUNNING));
    pause(WORK_MILLIS);
    tell(job(id, "n" + id, "success", 2 * RUNNING));
  }

  /** Tells until it is heard; returns what was withdrawn. */
  private List<String> tell(JsonObject report) {
    String body = new JsonObject().with("reports", List.of(report)).toString();
    while (!closed) {
      try {
        return reports
            .send("POST", "/v1/nodes/" + name + "/reports", body, "")
            .strings("withdrawn");
      } catch (IOException e) {
        pause(200 + ThreadLocalRandom.current().nextLong(400));
      }
    }
    return List.of();
  }

  private static JsonObject job(String id, String nodeJob, String state, long revision) {
    return new JsonObject()
        .with("kind", "job")
        .with("id", id)
        .with("nodeJob", nodeJob)
        .with("revision", revision)
        .with("job", new JsonObject().with("state", state).with("kind", "setKeep"));
  }

  private JsonObject inventory() {
    List<JsonObject> queues = new ArrayList<>();
    List<JsonObject> containers = new ArrayList<>();
    for (int queue = 0; queue < QUEUES; queue++) {
      List<JsonObject> snapshots = new ArrayList<>();
      for (int i = 0; i < SNAPSHOTS; i++) {
        snapshots.add(
            new JsonObject()
                .with("id", String.format("%032x", queue * 1_000L + i))
                .with("time", "2026-11-23T10:00:00.000Z")
                .with("sizeBytes", 12_345_678)
                .with("newBytes", 1_234_567)
                .with("entries", 1_234)
                .with("reason", "exited")
                .with("good", "yes")
                .with("pinned", false)
                .with("state", "complete")
                .with("actions", List.of("show", "restore", "mount", "export", "pin", "remove")));
      }
      queues.add(
          new JsonObject()
              .with("name", "queue-" + queue)
              .with("keep", SNAPSHOTS)
              .with("sizeBytes", 61_728_390)
              .with("state", "ready")
              .with("snapshots", snapshots)
              .with("settings", new JsonObject()));
      containers.add(
          new JsonObject().with("name", "container-" + queue).with("queue", "queue-" + queue));
    }
    return new JsonObject()
        .with("kind", "inventory")
        .with("queues", queues)
        .with("containers", containers)
        .with("revision", 1);
  }

  static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
