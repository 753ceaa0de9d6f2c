package dev.regen.agent.fleet;

import dev.regen.runtime.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The connection of a node over which it hears what it is to do; it reports by hand. */
final class SimulatedNode implements AutoCloseable {
  private final FleetClient client;
  private final String name;
  private final Socket socket;
  private final BlockingQueue<Heard> heard = new LinkedBlockingQueue<>();
  private volatile boolean ended;

  /** A message, and its place. */
  record Heard(long seq, JsonObject json) {}

  private SimulatedNode(FleetClient client, String name, Socket socket) {
    this.client = client;
    this.name = name;
    this.socket = socket;
  }

  /** Connects, and returns when the manager knows. */
  static SimulatedNode connect(URI manager, String name, String token, long last)
      throws IOException {
    Socket socket = new Socket(manager.getHost(), manager.getPort());
    socket.setSoTimeout((int) Duration.ofSeconds(30).toMillis());
    socket
        .getOutputStream()
        .write(
            ("GET /v1/nodes/"
                    + name
                    + "/messages HTTP/1.1\r\nHost: m\r\nConnection: close\r\nAuthorization: Bearer "
                    + token
                    + "\r\nLast-Event-ID: "
                    + last
                    + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII));
    BufferedReader in =
        new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    String status = in.readLine();
    if (status == null || !status.contains(" 200 ")) {
      socket.close();
      throw new IOException("the manager says: " + status);
    }
    for (String line = in.readLine(); !": alive".equals(line); line = in.readLine()) {
      if (line == null) {
        throw new IOException("the stream ended");
      }
    }
    SimulatedNode node = new SimulatedNode(new FleetClient(manager, token), name, socket);
    Thread.ofVirtual().start(() -> node.listen(in));
    return node;
  }

  /** The next message; fails if none comes. */
  Heard next() throws InterruptedException {
    Heard message = heard.poll(10, TimeUnit.SECONDS);
    if (message == null) {
      throw new AssertionError("no message came to " + name);
    }
    return message;
  }

  boolean silentFor(Duration time) throws InterruptedException {
    return heard.poll(time.toMillis(), TimeUnit.MILLISECONDS) == null;
  }

  boolean endsWithin(Duration time) throws InterruptedException {
    for (long left = time.toMillis(); left > 0 && !ended; left -= 20) {
      Thread.sleep(20);
    }
    return ended;
  }

  FleetClient.Answer report(JsonObject... reports) throws IOException, InterruptedException {
    return client.post(
        "/v1/nodes/" + name + "/reports", new JsonObject().with("reports", List.of(reports)));
  }

  FleetClient.Answer report(String job, String state, long revision)
      throws IOException, InterruptedException {
    return report(job(job, "n-" + job, state, revision));
  }

  /** A report about a job; {@code id} is null for one that was begun on the node. */
  static JsonObject job(
      @org.jspecify.annotations.Nullable String id, String nodeJob, String state, long revision) {
    return new JsonObject()
        .with("kind", "job")
        .with("id", id)
        .with("nodeJob", nodeJob)
        .with("revision", revision)
        .with(
            "job",
            new JsonObject()
                .with("id", nodeJob)
                .with("kind", "capture")
                .with("subject", "desk")
                .with("state", state)
                .with("step", "")
                .with("entries", 1)
                .with("bytes", 2));
  }

  @Override
  public void close() throws IOException {
    socket.close();
    client.close();
  }

  private void listen(BufferedReader in) {
    long seq = 0;
    try {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        if (line.startsWith("id: ")) {
          seq = Long.parseLong(line.substring(4));
        } else if (line.startsWith("data: ")) {
          heard.add(new Heard(seq, JsonObject.parse(line.substring(6))));
        }
      }
    } catch (IOException e) {
      // Closed.
    }
    ended = true;
  }
}
