package dev.regen.agent.jobs;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The operations that were asked for, those that have ended included, the last {@link #KEPT_MAX}.
 * They live in memory: what must outlive the agent is in the spool or in a queue.
 */
public final class Jobs {
  public static final int KEPT_MAX = 200;
  public static final int AT_ONCE = 4;
  private static final int TRANSFERS_AT_ONCE = 4;
  private static final int WAITING_MAX = 64;
  private static final long LOOK_MILLIS = 500;
  private static final Logger LOG = LoggerFactory.getLogger(Jobs.class);

  /** An operation; what it returns becomes the job's result. */
  @FunctionalInterface
  public interface Work {
    JsonObject run(Job job) throws IOException, InterruptedException;
  }

  private final InstantSource clock;
  private final Map<String, Job> jobs = new LinkedHashMap<>();
  private final Semaphore slots = new Semaphore(AT_ONCE, true);
  private final Semaphore transferSlots = new Semaphore(TRANSFERS_AT_ONCE, true);

  /** When the last one ended; 0 if {@link #cameToRest} has told of that. */
  private long endedAtNanos;

  public Jobs(InstantSource clock) {
    this.clock = clock;
  }

  /**
   * Runs {@code work} on a thread of its own, once fewer than {@link #AT_ONCE} others run.
   *
   * @throws RegenException.Refused if too many wait already
   */
  public Job start(String kind, String subject, Work work) throws RegenException {
    return start(kind, subject, work, slots);
  }

  /**
   * As {@link #start}, for what mostly waits for other hosts, for hours perhaps: it keeps nothing
   * else from running but further ones of its kind.
   */
  public Job startTransfer(String kind, String subject, Work work) throws RegenException {
    return start(kind, subject, work, transferSlots);
  }

  private Job start(String kind, String subject, Work work, Semaphore places)
      throws RegenException {
    Job job = begin(kind, subject);
    Thread.ofPlatform().name(kind + "-" + job.id()).daemon().start(() -> run(job, work, places));
    return job;
  }

  /** Enters an operation that the caller runs; it waits until {@link #run}. */
  public synchronized Job begin(String kind, String subject) throws RegenException {
    long open = jobs.values().stream().filter(job -> !job.ended()).count();
    if (open >= WAITING_MAX) {
      throw new RegenException.Refused(open + " operations are open already; try again later");
    }
    String id = UUID.randomUUID().toString().substring(0, 8);
    Job job = new Job(id, kind, subject, clock.instant().truncatedTo(ChronoUnit.MILLIS));
    jobs.put(id, job);
    forgetOldest();
    return job;
  }

  public synchronized List<Job> list() {
    return List.copyOf(jobs.values());
  }

  public synchronized Job find(String id) throws RegenException {
    Job job = jobs.get(id);
    if (job == null) {
      throw new RegenException.NotFound("no such job: " + id);
    }
    return job;
  }

  /** Whether nothing has run for so long; tells it once after each time that something did. */
  synchronized boolean cameToRest(Duration quiet) {
    boolean rests =
        endedAtNanos != 0
            && System.nanoTime() - endedAtNanos > quiet.toNanos()
            && jobs.values().stream().allMatch(Job::ended);
    if (rests) {
      endedAtNanos = 0;
    }
    return rests;
  }

  /** Runs {@code work} on the caller's thread as {@code job}. */
  public void run(Job job, Work work) {
    run(job, work, slots);
  }

  private void run(Job job, Work work, Semaphore places) {
    try {
      acquire(job, places);
      try {
        job.running();
        job.succeeded(work.run(job), clock.instant());
      } finally {
        places.release();
      }
    } catch (InterruptedException e) {
      job.failed(new Failure(Failure.Code.CANCELLED, "the agent was stopped"), clock.instant());
    } catch (IOException | RuntimeException e) {
      boolean expected =
          e instanceof IllegalArgumentException || e instanceof CancellationException;
      if (e instanceof RuntimeException && !expected) {
        LOG.error("a job failed unexpectedly", e);
      }
      job.failed(Failure.of(e), clock.instant());
    } finally {
      synchronized (this) {
        endedAtNanos = System.nanoTime();
      }
    }
  }

  /** One that is not wanted any more does not wait for its turn. */
  private static void acquire(Job job, Semaphore places) throws InterruptedException {
    while (!places.tryAcquire(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
      job.checkCancelled();
    }
  }

  private void forgetOldest() {
    Iterator<Job> oldest = jobs.values().iterator();
    while (jobs.size() > KEPT_MAX && oldest.hasNext()) {
      if (oldest.next().ended()) {
        oldest.remove();
      }
    }
  }
}
