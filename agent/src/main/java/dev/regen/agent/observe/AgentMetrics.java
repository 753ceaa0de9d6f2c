package dev.regen.agent.observe;

import dev.regen.agent.api.Meter;
import dev.regen.agent.hook.HookWatch;
import dev.regen.agent.jobs.Event;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.Answer;
import dev.regen.runtime.oci.HookCall;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.capture.CaptureResult;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Histogram;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What an agent counts of what it does: it is told of each thing once that is done. */
public final class AgentMetrics implements Meter, HookWatch {
  private static final Logger LOG = LoggerFactory.getLogger(AgentMetrics.class);
  private static final double NANOS = 1e9;
  private static final double MILLIS = 1e3;

  /** Those there are; they are served from the first moment, so that a first failure is a rise. */
  private static final List<String> KINDS =
      List.of(
          "archive",
          "capture",
          "restore",
          "push",
          "pull",
          "mount",
          "import",
          "verify",
          "encrypt",
          "decrypt",
          "remove",
          "collect",
          "rebalance");

  private final EndedOnce endedOnce = new EndedOnce();
  private final Counter jobs;
  private final Counter failures;
  private final Histogram running;
  private final Histogram waiting;
  private final Counter captures;
  private final Counter capturedBytes;
  private final Counter capturedNewBytes;
  private final Counter capturedEntries;
  private final Counter transferBytes;
  private final Counter transferChunks;
  private final Counter transferReusedChunks;
  private final Counter events;
  private final Histogram hooks;
  private final Counter hookAnswers;
  private final Histogram requests;
  private final Counter answers;

  public AgentMetrics(Exposition to) {
    jobs = to.counter("regen_jobs_ended_total", "Operations that have ended.", "kind", "state");
    failures = to.counter("regen_job_failures_total", "Operations that failed, by why.", "code");
    running =
        to.work(
            "regen_job_seconds", "From the beginning of an operation's work to its end.", "kind");
    waiting = to.work("regen_job_wait_seconds", "From when it was asked for to its beginning.");
    captures =
        to.counter(
            "regen_captures_total", "Layers that were captured, by what came of it.", "result");
    capturedBytes =
        to.counter("regen_captured_bytes_total", "Bytes of the chunks of new snapshots.");
    capturedNewBytes =
        to.counter(
            "regen_captured_new_bytes_total", "Of these, bytes that no snapshot held before.");
    capturedEntries = to.counter("regen_captured_entries_total", "Files and the like in them.");
    transferBytes =
        to.counter("regen_transfer_bytes_total", "Bytes of chunks sent or fetched.", "direction");
    transferChunks =
        to.counter("regen_transfer_chunks_total", "Chunks sent or fetched.", "direction");
    transferReusedChunks =
        to.counter(
            "regen_transfer_reused_chunks_total",
            "Chunks that the other side, or this one, had already.",
            "direction");
    events = to.counter("regen_events_total", "What 'regen events' tells.", "kind");
    hooks =
        to.calls("regen_hook_seconds", "So long the engine waited for a call of a hook.", "call");
    hookAnswers =
        to.counter(
            "regen_hook_answers_total",
            "Answers to hooks: go, refuse (it does not start), skip (not ours), failed.",
            "call",
            "answer");
    requests =
        to.calls("regen_api_seconds", "From a request of the API to the beginning of its answer.");
    answers = to.counter("regen_api_requests_total", "Requests of the API.", "operation", "status");
    beginAtZero();
  }

  private void beginAtZero() {
    for (String kind : KINDS) {
      jobs.initLabelValues(kind, "success");
      jobs.initLabelValues(kind, "failed");
      running.initLabelValues(kind);
    }
    for (String direction : List.of("push", "pull")) {
      transferBytes.initLabelValues(direction);
      transferChunks.initLabelValues(direction);
      transferReusedChunks.initLabelValues(direction);
    }
    for (Event.Kind kind : Event.Kind.values()) {
      events.initLabelValues(kind.word());
    }
    for (HookCall.Verb verb : HookCall.Verb.values()) {
      hooks.initLabelValues(word(verb));
      List.of("go", "refuse", "skip", "failed")
          .forEach(answer -> hookAnswers.initLabelValues(word(verb), answer));
    }
    answers.initLabelValues("getMetrics", "200");
    List.of("stored", "unchanged").forEach(captures::initLabelValues);
    List.of("failed", "not_started", "interrupted").forEach(failures::initLabelValues);
  }

  /** A job's JSON at each change of its state. */
  public void job(JsonObject job) {
    if (!endedOnce.isEnd(job)) {
      return;
    }
    try {
      String kind = job.string("kind");
      jobs.labelValues(kind, job.string("state")).inc();
      if (job.has("code")) {
        failures.labelValues(job.string("code")).inc();
      }
      Instant end = job.instant("endedAt");
      if (job.has("startedAt")) {
        Instant begin = job.instant("startedAt");
        running.labelValues(kind).observe(seconds(begin, end));
        waiting.observe(seconds(job.instant("askedAt"), begin));
      }
      JsonObject result = job.objectOrNull("result");
      if (result != null && (kind.equals("push") || kind.equals("pull"))) {
        transferred(kind, result);
        transferred(kind, result.objectOrNull("also"));
      }
    } catch (IOException e) {
      LOG.debug("a job is not as it should be: {}", job, e);
    }
  }

  private void transferred(String direction, @Nullable JsonObject result) throws IOException {
    if (result == null) {
      return;
    }
    transferBytes.labelValues(direction).inc(result.numberOr("bytes", 0));
    if (!result.has("totalChunks")) {
      return; // An image alone.
    }
    long chunks = result.number("chunks");
    transferChunks.labelValues(direction).inc(chunks);
    transferReusedChunks
        .labelValues(direction)
        .inc(Math.max(0, result.number("totalChunks") - chunks));
  }

  public void captured(CaptureResult result) {
    switch (result) {
      case CaptureResult.Stored stored -> {
        Archive archive = stored.snapshot().archive();
        captures.labelValues("stored").inc();
        capturedBytes.inc(archive.storedBytes());
        capturedNewBytes.inc(archive.newBytes());
        capturedEntries.inc(archive.entries());
      }
      case CaptureResult.Unchanged _ -> captures.labelValues("unchanged").inc();
      case CaptureResult.Superseded _ -> {
        // An earlier call has captured it, and was counted.
      }
    }
  }

  public void event(Event event) {
    events.labelValues(event.kind()).inc();
  }

  @Override
  public void called(HookCall.Verb verb, @Nullable Answer answer, Duration took) {
    hooks.labelValues(word(verb)).observe(took.toNanos() / NANOS);
    hookAnswers.labelValues(word(verb), word(answer)).inc();
  }

  @Override
  public void asked(@Nullable String operation, int status, Duration took) {
    answers.labelValues(Objects.requireNonNullElse(operation, "none"), "" + status).inc();
    requests.observe(took.toNanos() / NANOS);
  }

  private static double seconds(Instant from, Instant to) {
    return Math.max(0, Duration.between(from, to).toMillis() / MILLIS);
  }

  private static String word(@Nullable Answer answer) {
    return switch (answer) {
      case null -> "failed";
      case Answer.Go _ -> "go";
      case Answer.NotOurs _ -> "skip";
      case Answer.Refuse _ -> "refuse";
    };
  }

  private static String word(HookCall.Verb verb) {
    return verb.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
