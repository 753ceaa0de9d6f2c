package dev.regen.agent.node;

import dev.regen.agent.node.MessageStream.Message;
import dev.regen.runtime.Why;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the connection to the manager, as long as the agent runs: what breaks is made anew after a
 * while that grows. What comes is recorded before the next is read.
 */
final class Link {
  private static final Logger LOG = LoggerFactory.getLogger(Link.class);
  private static final Duration SILENCE_MAX = Duration.ofSeconds(30);
  private static final Duration LOOK_EVERY = Duration.ofSeconds(5);
  private static final long PAUSE_MILLIS_MIN = 100;
  private static final long PAUSE_MILLIS_MAX = 5_000;

  /** Whoever was connected for so long may come back at once. */
  private static final Duration STABLE = Duration.ofSeconds(10);

  private final ManagerUrl manager;
  private final String node;
  private final Disk disk;
  private final Path run;
  private final InstantSource clock;
  private final Inbox inbox;
  private final Reporter reporter;
  private final BlockingQueue<Message> heard;
  private @Nullable NodeStatus status;
  private volatile @Nullable MessageStream open;
  private volatile boolean closed;

  Link(
      ManagerUrl manager,
      String node,
      Disk disk,
      Path run,
      InstantSource clock,
      Inbox inbox,
      Reporter reporter,
      BlockingQueue<Message> heard) {
    this.manager = manager;
    this.node = node;
    this.disk = disk;
    this.run = run;
    this.clock = clock;
    this.inbox = inbox;
    this.reporter = reporter;
    this.heard = heard;
  }

  /** Runs until {@link #close}. */
  void run() throws InterruptedException {
    say("not connected yet", null);
    if (manager.isPlain()) {
      LOG.warn("the token goes to {} in the plain: anybody on the way can read it", manager);
    }
    long pauseMillis = PAUSE_MILLIS_MIN;
    while (!closed) {
      long began = System.nanoTime();
      try (Uplink uplink = new Uplink(manager, node)) {
        listen(uplink);
        say("the manager has ended the connection", null);
      } catch (IOException | RuntimeException e) {
        failed(e);
      } finally {
        reporter.over(null);
      }
      boolean stable = System.nanoTime() - began > STABLE.toNanos();
      pauseMillis = stable ? PAUSE_MILLIS_MIN : Math.min(PAUSE_MILLIS_MAX, 2 * pauseMillis);
      // So that a thousand nodes do not come back in the same moment.
      Thread.sleep(pauseMillis / 2 + ThreadLocalRandom.current().nextLong(pauseMillis));
    }
  }

  /** Ends what waits for the manager, if that was silent for too long. */
  void watch() throws InterruptedException {
    while (!closed) {
      Thread.sleep(LOOK_EVERY);
      MessageStream stream = open;
      if (stream != null && stream.silentFor(SILENCE_MAX)) {
        LOG.info("the manager {} was not heard for {} s", manager, SILENCE_MAX.toSeconds());
        end(stream);
      }
    }
  }

  void close() {
    closed = true;
    MessageStream stream = open;
    if (stream != null) {
      end(stream);
    }
    try {
      NodeStatus.remove(disk, run);
    } catch (IOException e) {
      LOG.debug("the status of an agent that has ended stays", e);
    }
  }

  private void listen(Uplink uplink) throws IOException, InterruptedException {
    try (MessageStream stream = uplink.messages(inbox.last())) {
      open = stream;
      reporter.over(uplink);
      say(null, null);
      for (Message message = stream.next(); message != null && !closed; message = stream.next()) {
        take(message);
      }
    } finally {
      open = null;
    }
  }

  private void take(Message message) throws IOException, InterruptedException {
    JsonObject json = message.json();
    String id = json.string("id");
    if (!id.matches("[0-9A-Za-z-]{1,64}")) {
      throw new IOException("the manager names a job '" + id + "'");
    }
    if (json.string("kind").equals("operation")) {
      inbox.record(message.seq(), id, json);
    }
    heard.put(message);
  }

  private void failed(Exception e) {
    String why = Why.of(e);
    if (closed) {
      return;
    }
    if (!(e instanceof ManagerFailure failure)) {
      say(why, e instanceof java.net.ConnectException ? "is 'regen manager' running there?" : null);
      return;
    }
    if (failure.status() == 429 && status != null && status.trouble() != null) {
      return; // What it was before says more.
    }
    Path file = manager.tokenFile();
    String where = file == null ? "the file that '?token-file=' names" : file.toString();
    switch (failure.status()) {
      case 401 ->
          say(
              why,
              "'regen fleet add-node "
                  + node
                  + "' at the manager makes a token ('renew-node' for a node that is there); put it"
                  + " into "
                  + where);
      case 403 ->
          say(
              why,
              "the token or certificate is another node's: give this host the token of '"
                  + node
                  + "', or start its agent with the name that the token is for: --node NAME");
      case 404 -> say(why, "'regen fleet add-node " + node + "' at the manager");
      default -> say(why, null);
    }
  }

  /** What has changed is logged once. */
  private void say(@Nullable String trouble, @Nullable String remedy) {
    NodeStatus before = status;
    if (before != null
        && java.util.Objects.equals(before.trouble(), trouble)
        && java.util.Objects.equals(before.remedy(), remedy)) {
      return;
    }
    NodeStatus now =
        new NodeStatus(
            manager.toString(),
            node,
            clock.instant().truncatedTo(ChronoUnit.MILLIS),
            trouble,
            remedy);
    status = now;
    if (trouble == null) {
      LOG.info("node {} is connected to the manager {}", node, manager);
    } else if (before != null) {
      LOG.warn(
          "node {} is not connected to the manager {}: {}{}; the agent works on without it",
          node,
          manager,
          trouble,
          remedy == null ? "" : " (" + remedy + ")");
    }
    try {
      now.write(disk, run);
    } catch (IOException e) {
      LOG.debug("the status is not written", e);
    }
  }

  private static void end(MessageStream stream) {
    try {
      stream.close();
    } catch (IOException e) {
      LOG.debug("a connection that has ended", e);
    }
  }
}
