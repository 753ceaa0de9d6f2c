package dev.regen.agent.jobs;

import dev.regen.agent.rules.StateRules;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.layer.Progress;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/** One operation, from asked for to done. Safe for several threads. */
public final class Job implements Progress {
  /** Where an operation is. */
  public enum State {
    WAITING,
    RUNNING,
    SUCCESS,
    FAILED;

    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** The command line asks four times a second. */
  public static final Duration ABSENCE_MAX = Duration.ofSeconds(10);

  private static final long NANOS_PER_MILLI = 1_000_000;

  /** More changes of its progress than any job has. */
  private static final int REVISION_PROGRESS_BITS = 40;

  private final String id;
  private final String kind;
  private final String subject;
  private final Instant askedAt;
  private final Asked asked;
  private final @Nullable String digest;
  private final JobProgress progress = new JobProgress();
  private State state = State.WAITING;
  private int attempt;
  private @Nullable Instant startedAt;
  private @Nullable Instant endedAt;
  private @Nullable Failure failure;
  private @Nullable JsonObject result;
  private boolean acknowledged;
  private volatile boolean cancelled;
  private volatile boolean attended;
  private volatile long askedAtNanos;
  private volatile long toldChanges;

  Job(String id, String kind, String subject, Instant askedAt, Asked asked) {
    this(id, kind, subject, askedAt, asked, asked.digest());
  }

  private Job(
      String id,
      String kind,
      String subject,
      Instant askedAt,
      Asked asked,
      @Nullable String digest) {
    this.id = id;
    this.kind = kind;
    this.subject = subject;
    this.askedAt = askedAt;
    this.asked = asked;
    this.digest = digest;
  }

  /** Reads what {@link #record} and the changes after it gave. */
  static Job of(JsonObject record) throws IOException {
    Job job =
        new Job(
            record.string("id"),
            record.string("kind"),
            record.string("subject"),
            record.instant("askedAt"),
            new Asked(
                record.string("askedBy"),
                record.stringOrNull("key"),
                record.objectOrNull("request"),
                record.flag("untilAcknowledged")),
            record.stringOrNull("digest"));
    String state = record.string("state");
    for (State one : State.values()) {
      job.state = one.word().equals(state) ? one : job.state;
    }
    job.attempt = Math.toIntExact(record.numberOr("attempt", 0));
    job.startedAt = record.has("startedAt") ? record.instant("startedAt") : null;
    job.endedAt = record.has("endedAt") ? record.instant("endedAt") : null;
    job.failure =
        record.has("code")
            ? new Failure(Failure.Code.of(record.string("code")), record.string("message"))
            : null;
    job.result = record.objectOrNull("result");
    job.acknowledged = record.flag("acknowledged");
    job.cancelled = record.flag("cancelled");
    return job;
  }

  public String id() {
    return id;
  }

  /** Whether it brings a snapshot of {@code queue} from a store, and has not ended. */
  public boolean fetches(QueueName queue) {
    boolean its = subject.equals(queue.value()) || subject.startsWith(queue + "@");
    boolean fetches = kind.equals("pull") || (kind.equals("restore") && asked.says("from"));
    return its && fetches && !ended();
  }

  public String kind() {
    return kind;
  }

  Asked asked() {
    return asked;
  }

  Instant askedAt() {
    return askedAt;
  }

  /** The name that its caller gave the request, null for none. */
  public @Nullable String key() {
    return asked.key();
  }

  /** Whether it is the one that {@code other} asks for. */
  boolean isSameAs(Asked other) {
    return asked.by().equals(other.by()) && other.key() != null && other.key().equals(asked.key());
  }

  @Nullable String digest() {
    return digest;
  }

  /** Orders jobs by when they were asked for; unlike every other's. */
  public String place() {
    return String.format("%015d %s", askedAt.toEpochMilli(), id);
  }

  /** What it does at this moment, for a person. */
  public void step(String words) {
    progress.step(words);
  }

  /** So much there is to do; nothing of it is done. */
  public void expected(long entriesInAll, long bytesInAll) {
    progress.expected(entriesInAll, bytesInAll);
  }

  @Override
  public void advanced(long entriesSoFar, long tarBytes) {
    progress.advanced(entriesSoFar, tarBytes);
  }

  /** So much went to and from a server since it is used, and so many calls at once it bears. */
  public void served(String server, long bytesSoFar, int atOnce) {
    progress.served(server, bytesSoFar, atOnce);
  }

  /** Asks it to end; it may take a moment, or be too late. */
  public void cancel() {
    cancelled = true;
  }

  /** Whether it was asked to end, or whoever it works for is gone. */
  public boolean cancelled() {
    return cancelled || isForsaken();
  }

  /**
   * Ends the work here, if it is to end.
   *
   * @throws CancellationException then
   */
  public void checkCancelled() {
    if (cancelled()) {
      throw new CancellationException("cancelled");
    }
  }

  /** As this, for work that ends by an exception at any of its steps. */
  public Progress cancellable() {
    return (entriesSoFar, tarBytes) -> {
      checkCancelled();
      advanced(entriesSoFar, tarBytes);
    };
  }

  /** From now on it is cancelled when nobody has {@link #looked} for {@link #ABSENCE_MAX}. */
  public void attend() {
    looked();
    attended = true;
  }

  /** Somebody wants to know how far it is. */
  public void looked() {
    askedAtNanos = System.nanoTime();
  }

  /** Waits until it has ended, at most so long. */
  public synchronized void awaitEnd(long millis) throws InterruptedException {
    long deadline = System.nanoTime() + millis * NANOS_PER_MILLI;
    for (long left = millis; left > 0 && !ended(); ) {
      wait(left);
      left = (deadline - System.nanoTime()) / NANOS_PER_MILLI;
    }
  }

  private boolean isForsaken() {
    return attended && System.nanoTime() - askedAtNanos > ABSENCE_MAX.toNanos();
  }

  public synchronized State state() {
    return state;
  }

  public synchronized @Nullable Failure failure() {
    return failure;
  }

  public synchronized @Nullable JsonObject result() {
    return result;
  }

  synchronized boolean ended() {
    return state == State.SUCCESS || state == State.FAILED;
  }

  /** Whether nobody needs it any more once it has ended. */
  synchronized boolean mayBeForgotten() {
    return ended() && (acknowledged || !asked.untilAcknowledged());
  }

  synchronized void acknowledge() {
    acknowledged = true;
  }

  synchronized int attempt() {
    return attempt;
  }

  /** It waits once more, as the agent that had begun it is gone. */
  synchronized void waitAgain() {
    attempt++;
    state = State.WAITING;
  }

  synchronized void running(Instant at) {
    state = State.RUNNING;
    startedAt = at;
  }

  synchronized void succeeded(JsonObject answer, Instant at) {
    state = State.SUCCESS;
    result = answer;
    endedAt = at;
    notifyAll();
  }

  synchronized void failed(Failure why, Instant at) {
    state = State.FAILED;
    failure = why;
    endedAt = at;
    notifyAll();
  }

  /** Whether its progress has changed since this was asked last. */
  boolean hasNewProgress() {
    long changes = progress.changes();
    boolean fresh = changes != toldChanges;
    toldChanges = changes;
    return fresh && state() == State.RUNNING;
  }

  /** As the log keeps it, whole. */
  synchronized JsonObject record() {
    JsonObject record =
        new JsonObject()
            .with("id", id)
            .with("kind", kind)
            .with("subject", subject)
            .with("state", state.word())
            .with("askedAt", askedAt)
            .with("askedBy", asked.by())
            .with("key", asked.key())
            .with("digest", digest)
            .with("request", ended() ? null : asked.request())
            .with("attempt", attempt == 0 ? null : attempt)
            .with("startedAt", startedAt)
            .with("endedAt", endedAt)
            .with("cancelled", cancelled ? true : null)
            .with("untilAcknowledged", asked.untilAcknowledged() ? true : null)
            .with("acknowledged", acknowledged ? true : null);
    addEnd(record);
    return record;
  }

  public synchronized JsonObject json() {
    JsonObject json =
        new JsonObject()
            .with("id", id)
            .with("kind", kind)
            .with("subject", subject)
            .with("state", state.word())
            .with("askedAt", askedAt)
            .with("askedBy", asked.by())
            .with("idempotencyKey", asked.key())
            .with("startedAt", startedAt)
            .with("endedAt", endedAt)
            .with("revision", revision())
            .with("cancelAsked", cancelled)
            .with("actions", StateRules.words(StateRules.job(ended())));
    progress.addTo(json);
    addEnd(json);
    return json;
  }

  /** Grows with each change, over restarts too: first by state, then by progress. */
  private long revision() {
    int rank = state == State.WAITING ? 0 : state == State.RUNNING ? 1 : 2;
    long sinceState = progress.changes() + (cancelled ? 1 : 0);
    return ((attempt * 4L + rank) << REVISION_PROGRESS_BITS) + sinceState;
  }

  private void addEnd(JsonObject json) {
    Failure why = failure;
    if (why != null) {
      json.with("code", why.code().word()).with("message", why.message());
    }
    if (result != null) {
      json.with("result", result);
    }
  }
}
