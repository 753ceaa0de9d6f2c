package dev.regen.agent.node;

import dev.regen.agent.jobs.Job;
import dev.regen.agent.node.Outbox.Entry;
import dev.regen.runtime.Why;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells the manager what is in the {@link Outbox}, and how the queues are, on one thread. */
final class Reporter {
  private static final Logger LOG = LoggerFactory.getLogger(Reporter.class);
  private static final int REPORTS_MAX = 200;
  private static final int QUEUES_MAX = 50;
  private static final long BYTES_MAX = 700 << 10;
  private static final Duration AFTER_FAILURE = Duration.ofMillis(500);
  private static final Duration AFTER_REFUSAL = Duration.ofSeconds(5);

  /** How often the manager hears at least that this agent lives: as often as it tells the same. */
  private static final Duration ALIVE_EVERY = Duration.ofSeconds(10);

  /** What changes without anybody's saying so, as what may be done with a queue. */
  private static final Duration LOOK_EVERY = Duration.ofSeconds(60);

  private final Outbox outbox;
  private final Inventory inventory;
  private final SettingTable settings;
  private final NodeJobs jobs;
  private volatile @Nullable Uplink uplink;

  /** Whether the manager may know nothing of what it was told before. */
  private volatile boolean fresh = true;

  /** One report at a time, after several were not understood as a whole. */
  private boolean singly;

  Reporter(Outbox outbox, Inventory inventory, SettingTable settings, NodeJobs jobs) {
    this.outbox = outbox;
    this.inventory = inventory;
    this.settings = settings;
    this.jobs = jobs;
  }

  /** From now on reports go this way; null: nowhere. */
  void over(@Nullable Uplink now) {
    uplink = now;
    fresh = true;
    outbox.connected(now != null);
  }

  /** Runs until the outbox is closed. */
  void run() throws InterruptedException {
    long looked = System.nanoTime();
    while (!outbox.isClosed()) {
      if (!outbox.await(ALIVE_EVERY)) {
        if (System.nanoTime() - looked > LOOK_EVERY.toNanos()) {
          outbox.all();
          looked = System.nanoTime();
        } else {
          sayAlive();
        }
        continue;
      }
      try {
        sendSome();
      } catch (ManagerFailure e) {
        if (!e.lasting() || e.aboutWho()) {
          again(e);
        } else {
          // The same would be refused again; later there is something else to tell.
          LOG.warn("the manager does not take how the queues are: {}", Why.of(e));
          fresh = true;
          Thread.sleep(AFTER_REFUSAL);
        }
      } catch (IOException | RuntimeException e) {
        again(e);
      }
    }
  }

  /** Nothing else tells the manager of a host that has gone without a word. */
  private void sayAlive() throws InterruptedException {
    Uplink over = uplink;
    if (over != null) {
      try {
        over.report(List.of());
      } catch (IOException | RuntimeException e) {
        LOG.debug("the manager does not hear that this agent lives: {}", Why.of(e));
      }
    }
  }

  private void again(Exception e) throws InterruptedException {
    LOG.debug("what happens here could not be told: {}", Why.of(e));
    fresh = true;
    outbox.all();
    Thread.sleep(AFTER_FAILURE);
  }

  /**
   * Asks whether these jobs may be begun, until there is an answer.
   *
   * @return those that may not; null if this ends
   */
  @Nullable Set<String> announce(List<String> ids) throws InterruptedException {
    List<JsonObject> reports = new ArrayList<>();
    for (String id : ids) {
      reports.add(
          new JsonObject()
              .with("kind", "job")
              .with("id", id)
              .with("nodeJob", NodeJobs.key(id))
              .with("revision", 0)
              .with("job", new JsonObject().with("state", "waiting")));
    }
    while (outbox.awaitConnected()) {
      Uplink over = uplink;
      try {
        if (over != null) {
          return over.report(reports).withdrawn();
        }
      } catch (IOException e) {
        LOG.debug("jobs of the fleet could not be announced: {}", Why.of(e));
      }
      Thread.sleep(AFTER_FAILURE);
    }
    return null;
  }

  private void sendSome() throws IOException, InterruptedException {
    List<Entry> entries = outbox.first(singly ? 1 : REPORTS_MAX, BYTES_MAX);
    if (!entries.isEmpty()) {
      // What the manager has been told lasts here too.
      settings.save();
      send(entries);
      return;
    }
    List<JsonObject> reports;
    if (outbox.takeAll()) {
      if (fresh) {
        fresh = false;
        inventory.forget();
      }
      reports = inventory.all();
    } else {
      reports = inventory.queues(outbox.takeQueues(QUEUES_MAX));
    }
    for (JsonObject report : reports) {
      send(List.of(report), over());
    }
  }

  private void send(List<Entry> entries) throws IOException, InterruptedException {
    try {
      send(entries.stream().map(Entry::report).toList(), over());
      singly = false;
    } catch (ManagerFailure e) {
      if (!e.lasting() || e.aboutWho()) {
        throw e;
      }
      if (entries.size() > 1) {
        singly = true;
        return;
      }
      LOG.warn("the manager does not take {}: {}", entries.getFirst().report(), Why.of(e));
    }
    outbox.told(entries);
  }

  private void send(List<JsonObject> reports, Uplink over)
      throws IOException, InterruptedException {
    Uplink.Told told = over.report(reports);
    for (JsonObject refused : told.refused()) {
      LOG.warn("the manager does not understand a report: {}", refused);
    }
    for (String id : told.withdrawn()) {
      Job job = jobs.find(id);
      if (job != null) {
        jobs.cancel(job);
      }
    }
  }

  private Uplink over() throws IOException {
    Uplink over = uplink;
    if (over == null) {
      throw new IOException("the manager is away");
    }
    return over;
  }
}
