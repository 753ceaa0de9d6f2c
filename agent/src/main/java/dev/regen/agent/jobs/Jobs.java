package dev.regen.agent.jobs;

import dev.regen.agent.jobs.StartQueue.Place;
import dev.regen.runtime.Why;
import dev.regen.runtime.docker.EngineException;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * The operations that were asked for, those that have ended included, the last {@link #KEPT_MAX}
 * and those that are kept until {@link #acknowledge}. They are known again after a restart.
 *
 * <p>A job is recorded before {@link #start} returns, and that it runs before its work begins; so
 * what was begun is never begun twice, and what waited is begun by the next agent, through {@link
 * #goOn}. At most so many are begun in each interval (see {@link JobLimits}), and one that cannot
 * be begun in time has failed.
 *
 * <p>The agent's own work, {@link #begin} and {@link #run}, waits for nothing and is recorded when
 * the disk has time: no container waits for it.
 *
 * <p>For others: {@link #listen} tells of every change, {@link #once} knows a request again by its
 * key, {@link #find} and {@link #cancel} work in every state.
 */
public final class Jobs implements AutoCloseable {
  public static final int KEPT_MAX = 200;

  /** More than can be begun before the deadline. */
  private static final int OPEN_MAX = 512;

  /** For jobs of the fleet, should their manager never come back. */
  private static final int KEPT_IN_ALL_MAX = 5000;

  private static final int KEYS_AT_ONCE = 16;
  private static final long LOOK_MILLIS = 500;
  private static final long PROGRESS_NANOS = 1_000_000_000;
  private static final long IDLE_NANOS = 3600 * PROGRESS_NANOS;
  private static final long LOOK_NANOS = LOOK_MILLIS * 1_000_000;
  private static final Logger LOG = LoggerFactory.getLogger(Jobs.class);

  /** An operation; what it returns becomes the job's result. */
  @FunctionalInterface
  public interface Work {
    JsonObject run(Job job) throws IOException, InterruptedException;
  }

  /** Asks once more for what was asked for, on behalf of the same caller. */
  @FunctionalInterface
  public interface Again {
    void perform(Asked asked) throws IOException, InterruptedException;
  }

  /** What this thread asks for once more. */
  private static final ThreadLocal<@Nullable Job> AGAIN = new ThreadLocal<>();

  private final JobLimits limits;
  private final JobLog log;
  private final InstantSource clock;
  private final LongSupplier nanos;
  private final List<Job> again;
  private final JobListeners listeners = new JobListeners();
  private final Object[] keys = new Object[KEYS_AT_ONCE];
  private final Map<String, Job> jobs = new LinkedHashMap<>();
  private final StartQueue queue;
  private @Nullable Thread thread;
  private boolean toLook;

  /** When the last one ended; 0 if {@link #cameToRest} has told of that. */
  private long endedAtNanos;

  /**
   * Reads what jobs there were; nothing is begun before {@link #open} has returned.
   *
   * @param nanos as {@link System#nanoTime}
   */
  Jobs(
      JobLimits limits,
      JobLog log,
      InstantSource clock,
      LongSupplier nanos,
      Consumer<String> told) {
    this.limits = limits;
    this.log = log;
    this.clock = clock;
    this.nanos = nanos;
    queue = new StartQueue(limits);
    for (int i = 0; i < keys.length; i++) {
      keys[i] = new Object();
    }
    KeptJobs kept = new KeptJobs(log, limits.deadline(), now(), told);
    again = kept.again();
    kept.all().forEach(job -> jobs.put(job.id(), job));
    forgetOldest();
  }

  /**
   * The jobs of the agent with this home. A disk that is full, or a damaged log, does not keep it
   * from starting.
   *
   * @param trouble is told what could not be read
   */
  public static Jobs open(
      Disk disk, Path home, JobLimits limits, InstantSource clock, Consumer<String> trouble) {
    Jobs jobs = new Jobs(limits, new JobLog(disk, home, trouble), clock, System::nanoTime, trouble);
    jobs.thread = Thread.ofVirtual().name("jobs").start(jobs::look);
    return jobs;
  }

  /**
   * Begins what the agent before had been asked for and had not begun, and what goes on where it
   * was, each through {@code how}.
   */
  public void goOn(Again how) {
    if (!again.isEmpty()) {
      Thread.ofVirtual().name("jobs-go-on").start(() -> again.forEach(job -> goOn(job, how)));
    }
  }

  /**
   * Calls {@code listener} with a job's JSON at every change of its state, and at most once a
   * second for its progress. It must be quick, and may not call back.
   */
  public void listen(Consumer<JsonObject> listener) {
    listeners.add(listener);
    wake();
  }

  /**
   * Runs {@code work} on a thread of its own, once there is a place and room in a batch.
   *
   * @throws RegenException.Refused if too many wait already, or it cannot be recorded
   */
  public Job start(String kind, String subject, Work work) throws RegenException {
    return start(kind, subject, work, Place.WORK);
  }

  /**
   * As {@link #start}, for what mostly waits for other hosts, for hours perhaps: it keeps nothing
   * else from running but further ones of its kind.
   */
  public Job startTransfer(String kind, String subject, Work work) throws RegenException {
    return start(kind, subject, work, Place.TRANSFER);
  }

  private Job start(String kind, String subject, Work work, Place place) throws RegenException {
    Job job = entered(kind, subject);
    String name = kind + "-" + job.id();
    enqueue(
        job, place, entry -> Thread.ofPlatform().name(name).daemon().start(() -> run(entry, work)));
    return job;
  }

  /**
   * As {@link #start}, on the caller's thread; returns once it has ended.
   *
   * @throws InterruptedException if the caller is interrupted before it has begun
   */
  public Job runHere(String kind, String subject, Work work)
      throws RegenException, InterruptedException {
    Job job = entered(kind, subject);
    CountDownLatch turn = new CountDownLatch(1);
    StartQueue.Entry entry = enqueue(job, Place.WORK, _ -> turn.countDown());
    try {
      while (!turn.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        if (job.ended()) {
          return job;
        }
      }
    } catch (InterruptedException e) {
      cancel(job.id());
      if (!job.ended()) {
        // Its turn has come meanwhile: it gives back its place, and does nothing.
        run(entry, work);
      }
      throw e;
    }
    run(entry, work);
    return job;
  }

  /** Enters an operation of the agent's own, which waits until {@link #run}. */
  public Job begin(String kind, String subject) {
    Job job = new Job(newId(), kind, subject, now(), Asked.BY_ITSELF);
    log.later(job.record());
    add(job);
    return job;
  }

  /** Runs {@code work} on the caller's thread as {@code job}, which {@link #begin} gave. */
  public void run(Job job, Work work) {
    job.running(now());
    log.later(change(job));
    listeners.tell(job);
    wake();
    try {
      job.succeeded(logged(job, work), now());
    } catch (InterruptedException e) {
      job.failed(stopped(), now());
    } catch (IOException | RuntimeException | Error e) {
      job.failed(failure(e), now());
    }
    log.later(job.record());
    ended(job);
  }

  /**
   * Does what {@code asked} asks for; jobs that this begins are the caller's. Where the same caller
   * has begun one with the same key before, that one is the answer, and nothing is done.
   *
   * @param known makes the answer from a job that is there
   * @throws RegenException.Refused if the key was that of another request
   */
  public <T> T once(Asked asked, Known<T> known, Asked.Action<T> action)
      throws IOException, InterruptedException {
    if (asked.key() == null) {
      return asked.during(action);
    }
    synchronized (keys[Math.floorMod(asked.key().hashCode(), keys.length)]) {
      Job job = AGAIN.get() == null ? same(asked) : null;
      if (job == null) {
        return asked.during(action);
      }
      if (job.digest() == null || !job.digest().equals(asked.digest())) {
        throw new RegenException.Refused(
            "the idempotency key '"
                + asked.key()
                + "' was given with another request, which is job "
                + job.id()
                + "; take a new key for a new request");
      }
      return known.answer(job);
    }
  }

  /** Makes an answer of a job. */
  @FunctionalInterface
  public interface Known<T> {
    T answer(Job job);
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

  /** The job that {@code by} has begun with this key, null for none. */
  public @Nullable Job find(String by, String key) {
    return same(new Asked(by, key, null, false));
  }

  /**
   * Asks a job to end: one that waits never runs, one that runs is told to, and one that has ended
   * stays as it is.
   */
  public Job cancel(String id) throws RegenException {
    Job job = find(id);
    if (job.ended()) {
      return job;
    }
    job.cancel();
    log.nowIfPossible(new JsonObject().with("id", id).with("cancelled", true));
    giveUp();
    listeners.tell(job);
    return job;
  }

  /** Whoever it was kept for knows how the job ended. */
  public void acknowledge(String id) {
    synchronized (this) {
      Job job = jobs.get(id);
      if (job == null) {
        return;
      }
      job.acknowledge();
      // Before it may be forgotten: of what is forgotten nothing is recorded.
      log.later(new JsonObject().with("id", id).with("acknowledged", true));
      forgetOldest();
    }
  }

  /** How many are begun in an interval, as it is now. */
  public synchronized int batchSize() {
    return queue.batchSize(nanos.getAsLong());
  }

  /** Begins nothing more, and leaves what waits to the next agent. */
  @Override
  public void close() {
    log.close();
    if (thread != null) {
      thread.interrupt();
    }
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

  private synchronized @Nullable Job same(Asked asked) {
    return jobs.values().stream().filter(job -> job.isSameAs(asked)).findFirst().orElse(null);
  }

  private Job entered(String kind, String subject) throws RegenException {
    Job again = AGAIN.get();
    if (again != null) {
      AGAIN.remove();
      return again;
    }
    synchronized (this) {
      long open = jobs.values().stream().filter(job -> !job.ended()).count();
      if (open >= OPEN_MAX) {
        throw new RegenException.Refused(open + " operations are open already; try again later");
      }
    }
    Job job = new Job(newId(), kind, subject, now(), Asked.current());
    try {
      log.now(job.record());
    } catch (IOException e) {
      RegenException refused =
          new RegenException.Refused(
              "nothing was begun, as it could not be recorded: "
                  + Why.of(e)
                  + "; make room for the agent's home, then ask again");
      refused.initCause(e);
      throw refused;
    }
    add(job);
    return job;
  }

  private void add(Job job) {
    synchronized (this) {
      jobs.put(job.id(), job);
      forgetOldest();
    }
    listeners.tell(job);
  }

  /** What begins an operation, on whichever thread comes by. */
  private interface Begin {
    void begin(StartQueue.Entry entry);
  }

  private StartQueue.Entry enqueue(Job job, Place place, Begin begin) {
    long leftNanos = limits.deadline().toNanos();
    if (job.attempt() == 0) {
      leftNanos -= Math.max(0, Duration.between(job.askedAt(), now()).toNanos());
    }
    StartQueue.Entry[] entry = new StartQueue.Entry[1];
    entry[0] =
        new StartQueue.Entry(
            job, place, () -> begin.begin(entry[0]), nanos.getAsLong() + leftNanos);
    synchronized (this) {
      queue.add(entry[0]);
    }
    startWhatMay();
    wake();
    return entry[0];
  }

  /** Begins those whose turn it is; quick. */
  private void startWhatMay() {
    List<StartQueue.Entry> startable;
    synchronized (this) {
      startable = queue.startable(nanos.getAsLong());
      startable.forEach(entry -> entry.job().running(now()));
    }
    startable.forEach(StartQueue.Entry::begin);
  }

  private void run(StartQueue.Entry entry, Work work) {
    Job job = entry.job();
    Batches.Outcome outcome = Batches.Outcome.SUCCESS;
    try {
      recordRunning(job);
      listeners.tell(job);
      JsonObject result = begun(job, work);
      end(job, result, null);
    } catch (InterruptedException e) {
      outcome = Batches.Outcome.FAILED_OTHERWISE;
      end(job, null, stopped());
    } catch (IOException | RuntimeException | Error e) {
      outcome = Capacity.outcome(e);
      end(job, null, failure(e));
    } finally {
      synchronized (this) {
        queue.ended(entry, outcome);
      }
      ended(job);
      startWhatMay();
    }
  }

  private void recordRunning(Job job) throws IOException {
    try {
      log.now(change(job));
    } catch (IOException e) {
      throw new IOException(
          "not begun, as that could not be recorded: " + Why.of(e) + "; nothing was changed", e);
    }
  }

  /** What is logged meanwhile on this thread bears the job's id. */
  private static JsonObject logged(Job job, Work work) throws IOException, InterruptedException {
    try (var _ = MDC.putCloseable("job", job.id())) {
      return work.run(job);
    }
  }

  private static JsonObject begun(Job job, Work work) throws IOException, InterruptedException {
    job.checkCancelled();
    return logged(job, work);
  }

  /** Recorded before anybody can see it, so that it stays what they have seen. */
  private void end(Job job, @Nullable JsonObject result, @Nullable Failure failure) {
    Instant at = now();
    JsonObject change =
        new JsonObject()
            .with("id", job.id())
            .with("state", (failure == null ? Job.State.SUCCESS : Job.State.FAILED).word())
            .with("endedAt", at)
            .with("request", null)
            .with("result", result)
            .with("code", failure == null ? null : failure.code().word())
            .with("message", failure == null ? null : failure.message());
    log.nowIfPossible(change);
    if (failure == null) {
      job.succeeded(result == null ? new JsonObject() : result, at);
    } else {
      job.failed(failure, at);
    }
  }

  private void ended(Job job) {
    synchronized (this) {
      endedAtNanos = System.nanoTime();
    }
    listeners.tell(job);
    wake();
  }

  /** Ends those that wait and will not be begun. */
  private void giveUp() {
    List<StartQueue.Entry> gone;
    List<String> reasons;
    synchronized (this) {
      gone = queue.givenUp(nanos.getAsLong());
      reasons = gone.stream().map(queue::reason).toList();
    }
    for (int i = 0; i < gone.size(); i++) {
      Job job = gone.get(i).job();
      end(
          job,
          null,
          job.cancelled()
              ? new Failure(Failure.Code.CANCELLED, "cancelled before it was begun")
              : new Failure(
                  Failure.Code.NOT_STARTED,
                  "not begun within "
                      + limits.deadline().toSeconds()
                      + " s: "
                      + reasons.get(i)
                      + "; nothing was changed: ask again later"));
      ended(job);
    }
  }

  /** Looks after those that wait, and tells of progress. */
  private void look() {
    long toldAtNanos = nanos.getAsLong();
    try {
      while (!Thread.currentThread().isInterrupted()) {
        long waitNanos = lookOnce();
        if (nanos.getAsLong() - toldAtNanos >= PROGRESS_NANOS) {
          toldAtNanos = nanos.getAsLong();
          tellProgress();
        }
        await(waitNanos);
      }
    } catch (InterruptedException e) {
      LOG.debug("no more jobs are begun");
    }
  }

  /** Begins and gives up what it is time for; returns when to look again at the latest. */
  long lookOnce() {
    startWhatMay();
    giveUp();
    synchronized (this) {
      if (!queue.isEmpty()) {
        return queue.nanosToNextLook(nanos.getAsLong(), LOOK_NANOS);
      }
      boolean told = listeners.isEmpty() || jobs.values().stream().allMatch(Job::ended);
      return told ? IDLE_NANOS : PROGRESS_NANOS;
    }
  }

  private void tellProgress() {
    if (!listeners.isEmpty()) {
      list().stream().filter(Job::hasNewProgress).forEach(listeners::tell);
    }
  }

  private synchronized void await(long waitNanos) throws InterruptedException {
    long end = System.nanoTime() + waitNanos;
    for (long left = waitNanos; !toLook && left > 0; left = end - System.nanoTime()) {
      wait(left / 1_000_000 + 1);
    }
    toLook = false;
  }

  private synchronized void wake() {
    toLook = true;
    notifyAll();
  }

  private void goOn(Job job, Again how) {
    AGAIN.set(job);
    try {
      performAgain(job, how);
      if (AGAIN.get() != null) {
        throw new IOException("it is no operation that begins a job");
      }
    } catch (IOException | RuntimeException e) {
      end(job, null, failure(e));
      ended(job);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      AGAIN.remove();
    }
  }

  /** The engine may come back later than the agent. */
  private void performAgain(Job job, Again how) throws IOException, InterruptedException {
    Instant until = now().plus(limits.deadline());
    while (true) {
      try {
        how.perform(job.asked());
        return;
      } catch (EngineException.Away e) {
        if (job.cancelled() || now().isAfter(until)) {
          throw e;
        }
        Thread.sleep(LOOK_MILLIS);
      }
    }
  }

  private static Failure stopped() {
    return new Failure(Failure.Code.CANCELLED, "the agent was stopped");
  }

  private static Failure failure(Throwable cause) {
    boolean expected =
        cause instanceof IOException
            || cause instanceof IllegalArgumentException
            || cause instanceof CancellationException;
    if (!expected) {
      LOG.error("a job failed unexpectedly", cause);
    }
    return Failure.of(cause);
  }

  /** That it runs. */
  private static JsonObject change(Job job) {
    JsonObject record = job.record();
    return new JsonObject()
        .with("id", job.id())
        .with("state", job.state().word())
        .with("attempt", record.members().get("attempt"))
        .with("startedAt", record.members().get("startedAt"));
  }

  private static String newId() {
    return UUID.randomUUID().toString().substring(0, 8);
  }

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MILLIS);
  }

  private synchronized void forgetOldest() {
    long ended = jobs.values().stream().filter(Job::mayBeForgotten).count();
    Iterator<Job> oldest = jobs.values().iterator();
    while (oldest.hasNext() && (ended > KEPT_MAX || jobs.size() > KEPT_IN_ALL_MAX)) {
      Job job = oldest.next();
      if (job.ended() && (job.mayBeForgotten() || jobs.size() > KEPT_IN_ALL_MAX)) {
        oldest.remove();
        log.forget(job.id());
        ended--;
      }
    }
  }
}
