package dev.regen.agent.jobs;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.PendingLayers;
import dev.regen.runtime.oci.Spool;
import dev.regen.snapshot.End;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.capture.Captures;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
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
  private static final Duration TAKEN_LIMIT = Duration.ofSeconds(15);
  private static final Duration RETRY_FIRST = Duration.ofSeconds(1);
  private static final Duration RETRY_MAX = Duration.ofMinutes(1);
  private static final Duration IDLE = Duration.ofSeconds(3);
  private static final long POLL_MILLIS = 20;

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

  private record Failed(QueueName queue, int times, String message, long retryAtNanos) {}

  private final Spool spool;
  private final EngineEnds ends;
  private final Intake intake;
  private final Jobs jobs;
  private final Events events;
  private final long pollMillis;
  private final Thread thread;

  private final Map<String, Failed> failed = new HashMap<>();
  private final Map<QueueName, Long> takenUntilNanos = new HashMap<>();
  private final Map<String, End> known = new HashMap<>();
  private final Map<QueueName, Integer> awaited = new HashMap<>();
  private final Map<QueueName, Integer> held = new HashMap<>();
  private @Nullable FrozenLayer current;
  private @Nullable Job currentJob;
  private boolean told;
  private long garbageSinceNanos;
  private volatile boolean closed;

  public SpoolDrain(
      Spool spool, EngineEnds ends, Intake intake, Jobs jobs, Events events, Duration poll) {
    this.spool = spool;
    this.ends = ends;
    this.intake = intake;
    this.jobs = jobs;
    this.events = events;
    pollMillis = poll.toMillis();
    thread = Thread.ofPlatform().name("spool").daemon().unstarted(this::drain);
  }

  public void start() {
    thread.start();
  }

  /** The spool may hold something new. */
  public synchronized void look() {
    told = true;
    notifyAll();
  }

  /** Says how a run ended whose layer the caller has put into the spool itself. */
  public synchronized void endIsKnown(String job, End end) {
    known.put(job, end);
  }

  @Override
  public boolean awaitArchived(QueueName queue, Duration limit) throws InterruptedException {
    return await(queue, limit);
  }

  /**
   * As {@link #awaitArchived}, for a caller to whom a failure is an answer.
   *
   * @throws RegenException.Refused if the queue's next layer cannot be archived, and why
   */
  public boolean awaitArchivedOrFailed(QueueName queue, Duration limit)
      throws IOException, InterruptedException {
    if (await(queue, limit)) {
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

  @Override
  public synchronized boolean takeOver(QueueName queue, Duration limit)
      throws InterruptedException {
    takenUntilNanos.put(queue, System.nanoTime() + TAKEN_LIMIT.toNanos());
    FrozenLayer busy = current;
    if (busy != null && busy.queue().equals(queue) && currentJob != null) {
      currentJob.cancel();
    }
    long deadline = System.nanoTime() + limit.toNanos();
    while (current != null && current.queue().equals(queue)) {
      long leftMillis = (deadline - System.nanoTime()) / 1_000_000;
      if (leftMillis <= 0) {
        return false;
      }
      wait(leftMillis);
    }
    return true;
  }

  /** Leaves the layers of {@code queue} alone until the answer is closed; one at work goes on. */
  public synchronized Hold hold(QueueName queue) {
    held.merge(queue, 1, Integer::sum);
    return new Hold(queue);
  }

  /** Layers that are left alone. */
  public final class Hold implements AutoCloseable {
    private final QueueName queue;

    private Hold(QueueName queue) {
      this.queue = queue;
    }

    @Override
    public void close() {
      synchronized (SpoolDrain.this) {
        held.computeIfPresent(queue, (_, count) -> count == 1 ? null : count - 1);
      }
      look();
    }
  }

  @Override
  public List<PendingLayer> pending() throws IOException {
    List<FrozenLayer> layers = spool.list();
    List<PendingLayer> all = new ArrayList<>();
    synchronized (this) {
      for (FrozenLayer layer : layers) {
        Failed failure = failed.get(layer.job());
        boolean busy = current != null && current.job().equals(layer.job());
        PendingLayer.State state =
            busy
                ? PendingLayer.State.ARCHIVING
                : failure != null ? PendingLayer.State.FAILED : PendingLayer.State.WAITING;
        all.add(new PendingLayer(layer, state, failure == null ? null : failure.message()));
      }
    }
    return all;
  }

  @Override
  public void close() {
    closed = true;
    synchronized (this) {
      if (currentJob != null) {
        currentJob.cancel();
      }
      notifyAll();
    }
    try {
      thread.join(Duration.ofSeconds(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private enum Standing {
    ARCHIVED,
    AT_WORK,
    /** Its next layer has failed and is left alone for a while. */
    FAILED
  }

  private boolean await(QueueName queue, Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    synchronized (this) {
      awaited.merge(queue, 1, Integer::sum);
      told = true;
      notifyAll();
    }
    try {
      Standing standing = standing(queue);
      while (standing == Standing.AT_WORK) {
        synchronized (this) {
          if (System.nanoTime() - deadline > 0 || closed) {
            return false;
          }
          wait(POLL_MILLIS);
        }
        standing = standing(queue);
      }
      return standing == Standing.ARCHIVED;
    } finally {
      synchronized (this) {
        awaited.computeIfPresent(queue, (_, count) -> count == 1 ? null : count - 1);
      }
    }
  }

  /** The oldest layer of a queue holds up the others, so it alone decides. */
  private Standing standing(QueueName queue) {
    try {
      List<FrozenLayer> left = spool.list(queue);
      synchronized (this) {
        if (current != null && current.queue().equals(queue)) {
          return Standing.AT_WORK;
        }
        if (left.isEmpty()) {
          return Standing.ARCHIVED;
        }
        Failed failure = failed.get(left.getFirst().job());
        boolean waits = failure != null && failure.retryAtNanos() - System.nanoTime() > 0;
        return waits ? Standing.FAILED : Standing.AT_WORK;
      }
    } catch (IOException e) {
      LOG.warn("the spool cannot be read: {}", e.getMessage());
      return Standing.AT_WORK;
    }
  }

  private void drain() {
    while (!closed) {
      try {
        FrozenLayer next = next();
        if (next != null) {
          archive(next);
        } else {
          rest();
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
      Thread.sleep(RETRY_FIRST);
      return true;
    } catch (InterruptedException e) {
      return false;
    }
  }

  /**
   * The heap that archiving took shrinks only at a full collection, which nothing else asks for.
   */
  private void giveMemoryBack() {
    if (garbageSinceNanos != 0 && System.nanoTime() - garbageSinceNanos > IDLE.toNanos()) {
      garbageSinceNanos = 0;
      System.gc();
    }
  }

  private synchronized void rest() throws InterruptedException {
    long deadline = System.nanoTime() + pollMillis * 1_000_000;
    long leftMillis = pollMillis;
    while (!told && !closed && leftMillis > 0) {
      wait(leftMillis);
      leftMillis = (deadline - System.nanoTime()) / 1_000_000;
    }
    told = false;
  }

  /** The oldest layer whose queue is neither taken nor waiting after a failure. */
  private @Nullable FrozenLayer next() throws IOException {
    List<FrozenLayer> layers = spool.list();
    synchronized (this) {
      long now = System.nanoTime();
      takenUntilNanos.values().removeIf(until -> until - now < 0);
      Set<String> there = new HashSet<>();
      layers.forEach(layer -> there.add(layer.job()));
      failed.keySet().retainAll(there);
      Set<QueueName> blocked = new HashSet<>(takenUntilNanos.keySet());
      blocked.addAll(held.keySet());
      FrozenLayer first = null;
      for (FrozenLayer layer : layers) {
        Failed failure = failed.get(layer.job());
        boolean ready = failure == null || failure.retryAtNanos() - now < 0;
        if (ready && !blocked.contains(layer.queue())) {
          if (awaited.containsKey(layer.queue())) {
            return begun(layer);
          }
          first = first == null ? layer : first;
        }
        blocked.add(layer.queue());
      }
      return first == null ? null : begun(first);
    }
  }

  private FrozenLayer begun(FrozenLayer layer) {
    current = layer;
    return layer;
  }

  private void archive(FrozenLayer layer) throws InterruptedException, IOException {
    Job job = null;
    try {
      job = jobs.begin("archive", layer.queue().value());
      synchronized (this) {
        currentJob = job;
        if (takenUntilNanos.containsKey(layer.queue())) {
          job.cancel();
        }
      }
      Job now = job;
      jobs.run(
          job,
          _ -> {
            intake.take(layer, () -> end(layer), now);
            return new dev.regen.runtime.json.JsonObject();
          });
      settle(layer, job.failure());
    } finally {
      synchronized (this) {
        current = null;
        currentJob = null;
        garbageSinceNanos = System.nanoTime();
        notifyAll();
      }
    }
  }

  private End end(FrozenLayer layer) {
    End told;
    synchronized (this) {
      told = known.get(layer.job());
    }
    try {
      return told != null ? told : EndRules.end(layer, ends.facts(layer, FACTS_LIMIT));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted");
    }
  }

  private synchronized void settle(FrozenLayer layer, @Nullable Failure failure) {
    if (failure == null) {
      failed.remove(layer.job());
      known.remove(layer.job());
      return;
    }
    if (failure.code() == Failure.Code.CANCELLED) {
      LOG.info("archiving {} was stopped", layer.job());
      return;
    }
    Failed before = failed.get(layer.job());
    int times = before == null ? 1 : before.times() + 1;
    Duration pause = RETRY_FIRST.multipliedBy(1L << Math.min(times - 1, 6));
    pause = pause.compareTo(RETRY_MAX) > 0 ? RETRY_MAX : pause;
    failed.put(
        layer.job(),
        new Failed(layer.queue(), times, failure.message(), System.nanoTime() + pause.toNanos()));
    if (before == null || !before.message().equals(failure.message())) {
      events.tell(Event.Kind.FAILED, layer.queue().value(), failure.message());
    }
  }

  /** Ends the work at once, for {@link Intake}s that are asked to. */
  static void checkCancelled(Job job) {
    if (job.cancelled()) {
      throw new CancellationException();
    }
  }
}
