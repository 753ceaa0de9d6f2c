package dev.regen.agent.jobs;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.PendingLayers;
import dev.regen.runtime.oci.Spool;
import dev.regen.snapshot.End;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.capture.Captures;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Archives what hooks left in the spool: one layer at a time, those of one queue in the order of
 * their ends.
 *
 * <p>A layer that fails stays in the spool, and so do later ones of its queue; it is tried again
 * after a pause that grows from a second to a minute. A crash at any moment leaves the job there
 * and the same is done again; a capture that was complete is recognised.
 */
public final class SpoolDrain implements PendingLayers, Pending, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SpoolDrain.class);
  private static final Duration FACTS_LIMIT = Duration.ofSeconds(2);
  private static final Duration AFTER_ERROR = Duration.ofSeconds(1);
  private static final Duration IDLE = Duration.ofSeconds(3);
  private static final Duration ARCHIVE_LIMIT = Duration.ofHours(6);
  private static final Duration LOOK_ROUND = Duration.ofSeconds(1);

  /** Where the work is done: a layer in, its snapshot in the queue, its tree handed over. */
  @FunctionalInterface
  public interface Intake {
    /**
     * Does it.
     *
     * @param end asked once the layer has been read: the engine may not have told it before
     */
    void take(FrozenLayer layer, Captures.EndAfterReading end, Job job) throws IOException;
  }

  private final EngineEnds ends;
  private final Intake intake;
  private final Jobs jobs;
  private final Events events;
  private final long pollMillis;
  private final Turns turns;
  private final Thread thread;
  private final Map<String, End> known = new ConcurrentHashMap<>();

  public SpoolDrain(
      Spool spool, EngineEnds ends, Intake intake, Jobs jobs, Events events, Duration poll) {
    this.ends = ends;
    this.intake = intake;
    this.jobs = jobs;
    this.events = events;
    pollMillis = poll.toMillis();
    turns = new Turns(spool);
    thread = Thread.ofPlatform().name("spool").daemon().unstarted(this::drain);
  }

  public void start() {
    thread.start();
  }

  /** The spool may hold something new. */
  public void look() {
    turns.look();
  }

  /** Says how a run ended whose layer the caller has put into the spool itself. */
  public void endIsKnown(String job, End end) {
    known.put(job, end);
  }

  @Override
  public boolean awaitArchived(QueueName queue, Duration limit) throws InterruptedException {
    return turns.await(queue, limit);
  }

  /**
   * As {@link #awaitArchived}, for a caller to whom a failure is an answer.
   *
   * @throws RegenException.Refused if the queue's next layer cannot be archived, and why
   */
  public boolean awaitArchivedOrFailed(QueueName queue, Duration limit)
      throws IOException, InterruptedException {
    if (turns.await(queue, limit)) {
      return true;
    }
    for (PendingLayer layer : pending()) {
      if (layer.layer().queue().equals(queue) && layer.message() != null) {
        throw new RegenException.Refused(
            "the last state of queue '" + queue + "' is not archived: " + layer.message());
      }
    }
    return false;
  }

  /**
   * Waits until the queue's layers are archived, for a job that begins with the state after them.
   *
   * @throws RegenException.Refused if that fails, or takes too long
   * @throws CancellationException soon after the job was cancelled
   */
  public void awaitArchived(QueueName queue, Job job) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + ARCHIVE_LIMIT.toNanos();
    while (!awaitArchivedOrFailed(queue, LOOK_ROUND)) {
      job.checkCancelled();
      if (System.nanoTime() - deadline > 0) {
        throw new RegenException.Refused(
            "the last state of queue '" + queue + "' is not archived yet; see 'regen jobs'");
      }
    }
  }

  @Override
  public boolean takeOver(QueueName queue, Duration limit) throws InterruptedException {
    return turns.takeOver(queue, limit);
  }

  /** Leaves the layers of {@code queue} alone until the answer is closed; one at work goes on. */
  public Hold hold(QueueName queue) {
    turns.hold(queue);
    return () -> turns.letGo(queue);
  }

  /** Layers that are left alone; to be closed once. */
  @FunctionalInterface
  public interface Hold extends AutoCloseable {
    @Override
    void close();
  }

  @Override
  public List<PendingLayer> pending() throws IOException {
    return turns.pending();
  }

  @Override
  public void close() {
    turns.close();
    try {
      thread.join(Duration.ofSeconds(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void drain() {
    while (!turns.isClosed()) {
      try {
        FrozenLayer next = turns.next();
        if (next != null) {
          archive(next);
        } else {
          turns.rest(pollMillis);
          giveMemoryBack();
        }
      } catch (InterruptedException e) {
        return;
      } catch (IOException | RuntimeException e) {
        LOG.error("the spool could not be drained", e);
        if (!restQuietly()) {
          return;
        }
      }
    }
  }

  private boolean restQuietly() {
    try {
      Thread.sleep(AFTER_ERROR);
      return true;
    } catch (InterruptedException e) {
      return false;
    }
  }

  /**
   * The heap that archives, imports and transfers took shrinks only at a full collection, which
   * nothing else asks for.
   */
  private void giveMemoryBack() {
    if (jobs.cameToRest(IDLE)) {
      System.gc();
    }
  }

  private void archive(FrozenLayer layer) throws InterruptedException, IOException {
    try {
      Job job = jobs.begin("archive", layer.queue().value());
      turns.begun(job);
      // Heard while the layer is read: the engine tells it soon, and what it told is not kept long.
      FutureTask<ExitFacts> facts = new FutureTask<>(() -> ends.facts(layer, FACTS_LIMIT));
      Thread.ofVirtual().name("end-of-" + layer.job()).start(facts);
      jobs.run(
          job,
          _ -> {
            intake.take(layer, () -> end(layer, facts), job);
            return new JsonObject();
          });
      settle(layer, job.failure());
    } finally {
      turns.ended();
    }
  }

  private End end(FrozenLayer layer, FutureTask<ExitFacts> facts) throws IOException {
    End told = known.get(layer.job());
    try {
      return told != null ? told : EndRules.end(layer, facts.get());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted");
    } catch (ExecutionException e) {
      throw new IOException("how the run ended could not be asked", e.getCause());
    }
  }

  private void settle(FrozenLayer layer, @Nullable Failure failure) {
    if (failure == null) {
      turns.archived(layer);
      known.remove(layer.job());
    } else if (failure.code() == Failure.Code.CANCELLED) {
      LOG.info("archiving {} was stopped", layer.job());
    } else if (turns.failed(layer, failure.message())) {
      events.tell(Event.Kind.FAILED, layer.queue().value(), failure.message());
    }
  }
}
