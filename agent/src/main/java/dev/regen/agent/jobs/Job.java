package dev.regen.agent.jobs;

import dev.regen.agent.rules.StateRules;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.layer.Progress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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

  private final String id;
  private final String kind;
  private final String subject;
  private final Instant askedAt;
  private State state = State.WAITING;
  private String step = "";
  private long entries;
  private long bytes;
  private long entriesExpected;
  private long bytesExpected;
  private final Map<String, Served> servers = new LinkedHashMap<>();
  private @Nullable Instant endedAt;
  private @Nullable Failure failure;
  private @Nullable JsonObject result;
  private volatile boolean cancelled;
  private volatile boolean attended;
  private volatile long askedAtNanos;

  Job(String id, String kind, String subject, Instant askedAt) {
    this.id = id;
    this.kind = kind;
    this.subject = subject;
    this.askedAt = askedAt;
  }

  public String id() {
    return id;
  }

  /** Whether it brings a snapshot of {@code queue} from a store, and has not ended. */
  public boolean fetches(QueueName queue) {
    boolean its = subject.equals(queue.value()) || subject.startsWith(queue + "@");
    return its && (kind.equals("pull") || kind.equals("restore")) && !ended();
  }

  /** What it does at this moment, for a person. */
  public synchronized void step(String words) {
    step = words;
  }

  /** So much there is to do; nothing of it is done. */
  public synchronized void expected(long entriesInAll, long bytesInAll) {
    entriesExpected = entriesInAll;
    bytesExpected = bytesInAll;
    entries = 0;
    bytes = 0;
  }

  @Override
  public synchronized void advanced(long entriesSoFar, long tarBytes) {
    entries = entriesSoFar;
    bytes = tarBytes;
  }

  /** So much went to and from a server since it is used, and so many calls at once it bears. */
  public synchronized void served(String server, long bytesSoFar, int atOnce) {
    Served before = servers.get(server);
    long from = before == null ? bytesSoFar : before.from();
    servers.put(server, new Served(from, bytesSoFar, atOnce));
  }

  private record Served(long from, long bytes, int atOnce) {}

  private List<JsonObject> serversJson() {
    List<JsonObject> all = new ArrayList<>();
    servers.forEach((server, one) ->
        all.add(
            new JsonObject()
                .with("server", server)
                .with("bytes", one.bytes() - one.from())
                .with("atOnce", one.atOnce())));
    return all;
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

  /** From now on it is cancelled when nobody has {@link #asked} for {@link #ABSENCE_MAX}. */
  public void attend() {
    attended = true;
    asked();
  }

  /** Somebody wants to know how far it is. */
  public void asked() {
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

  synchronized boolean ended() {
    return state == State.SUCCESS || state == State.FAILED;
  }

  synchronized void running() {
    state = State.RUNNING;
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

  public synchronized JsonObject json() {
    JsonObject json =
        new JsonObject()
            .with("id", id)
            .with("kind", kind)
            .with("subject", subject)
            .with("state", state.word())
            .with("step", step)
            .with("askedAt", askedAt)
            .with("endedAt", endedAt)
            .with("entries", entries)
            .with("bytes", bytes)
            .with("actions", StateRules.words(StateRules.job(ended())));
    if (entriesExpected > 0) {
      json.with("entriesExpected", entriesExpected).with("bytesExpected", bytesExpected);
    }
    if (!servers.isEmpty()) {
      json.with("servers", serversJson());
    }
    Failure why = failure;
    if (why != null) {
      json.with("code", why.code().word()).with("message", why.message());
    }
    if (result != null) {
      json.with("result", result);
    }
    return json;
  }
}
