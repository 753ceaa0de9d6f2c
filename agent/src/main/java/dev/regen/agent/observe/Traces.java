package dev.regen.agent.observe;

import dev.regen.agent.hook.HookWatch;
import dev.regen.runtime.Why;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.Answer;
import dev.regen.runtime.oci.HookCall;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends a trace of each operation and of each hook's call to a collector, as OTLP over HTTP in
 * JSON. Spans wait for nobody: those that do not fit, or that the collector does not take, are
 * dropped, and the log tells so once.
 *
 * <p>A class of its own, and no library: this is loaded where an endpoint is configured alone, and
 * the SDK's thirteen jars would be on every command's class path.
 */
public final class Traces implements HookWatch, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Traces.class);
  private static final int WAITING_MAX = 2_048;
  private static final int AT_ONCE = 512;
  private static final int STEPS_MAX = 100;
  private static final int JOBS_MAX = 1_000;
  private static final Duration GATHER = Duration.ofSeconds(2);
  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final int OK_BELOW = 300;

  private final URI endpoint;
  private final JsonObject resource;
  private final InstantSource clock;
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(LIMIT).build();
  private final ArrayBlockingQueue<Span> waiting = new ArrayBlockingQueue<>(WAITING_MAX);
  private final EndedOnce endedOnce = new EndedOnce();
  private final Map<String, List<Step>> steps =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, List<Step>> eldest) {
          return size() > JOBS_MAX;
        }
      };
  private final Duration gather;
  private final Thread sender;
  private boolean troubled;

  /** What a job did from then on. */
  private record Step(String words, Instant begin) {}

  /**
   * To this endpoint from now on.
   *
   * @param to without {@code /v1/traces}
   * @param service as {@code service.name}
   */
  public Traces(URI to, String service, String host, InstantSource clock) {
    this(to, service, host, clock, GATHER);
  }

  Traces(URI to, String service, String host, InstantSource clock, Duration gather) {
    this.gather = gather;
    this.endpoint = URI.create(to.toString().replaceAll("/+$", "") + "/v1/traces");
    this.clock = clock;
    this.resource =
        new JsonObject()
            .with(
                "attributes",
                List.of(
                    Span.attribute("service.name", service), Span.attribute("host.name", host)));
    sender = Thread.ofVirtual().name("traces").start(this::send);
  }

  /** A job's JSON at each change of its state, and now and then of its progress. */
  public void job(JsonObject job) {
    try {
      if (endedOnce.isEnd(job)) {
        ended(job);
      } else if (!job.has("endedAt")) {
        note(job);
      }
    } catch (IOException e) {
      LOG.debug("a job is not as it should be: {}", job, e);
    }
  }

  private synchronized void note(JsonObject job) throws IOException {
    String step = job.stringOrNull("step");
    List<Step> all = steps.computeIfAbsent(job.string("id"), _ -> new ArrayList<>());
    boolean same = !all.isEmpty() && all.getLast().words().equals(step);
    if (step != null && !step.isEmpty() && !same && all.size() < STEPS_MAX) {
      all.add(new Step(step, clock.instant()));
    }
  }

  private synchronized void ended(JsonObject job) throws IOException {
    Instant asked = job.instant("askedAt");
    Instant end = job.instant("endedAt");
    String message = job.stringOrNull("message");
    Span whole =
        Span.of(
            job.string("kind"),
            asked,
            end,
            Map.of(
                "regen.job", job.string("id"),
                "regen.subject", job.string("subject"),
                "regen.asked_by", String.valueOf(job.members().get("askedBy"))));
    add(job.has("code") ? whole.failed(message == null ? "" : message) : whole);
    List<Step> all = steps.remove(job.string("id"));
    if (!job.has("startedAt")) {
      return;
    }
    Instant begin = job.instant("startedAt");
    add(whole.part("waiting", asked, begin));
    Span run = whole.part("running", begin, end);
    add(run);
    for (int i = 0; all != null && i < all.size(); i++) {
      Instant next = i + 1 < all.size() ? all.get(i + 1).begin() : end;
      Instant from = all.get(i).begin();
      add(run.part(all.get(i).words(), from, next.isBefore(from) ? from : next));
    }
  }

  @Override
  public void called(HookCall.Verb verb, @Nullable Answer answer, Duration took) {
    Instant end = clock.instant();
    Span span =
        Span.of(
            "hook " + verb.name().toLowerCase(Locale.ROOT).replace('_', '-'),
            end.minus(took),
            end,
            Map.of());
    add(
        switch (answer) {
          case null -> span.failed("no answer");
          case Answer.Refuse refuse -> span.failed(refuse.message());
          case Answer.Go _, Answer.NotOurs _ -> span;
        });
  }

  private void add(Span span) {
    if (!waiting.offer(span)) {
      trouble("the collector is too slow");
    }
  }

  private void send() {
    List<Span> some = new ArrayList<>();
    try {
      while (true) {
        some.clear();
        some.add(waiting.take());
        long deadline = System.nanoTime() + gather.toNanos();
        for (long left = gather.toNanos(); left > 0 && some.size() < AT_ONCE; ) {
          Span next = waiting.poll(left, TimeUnit.NANOSECONDS);
          if (next != null) {
            some.add(next);
          }
          left = deadline - System.nanoTime();
        }
        send(some);
      }
    } catch (InterruptedException e) {
      LOG.debug("no more traces are sent");
    }
  }

  private void send(List<Span> some) throws InterruptedException {
    JsonObject scope =
        new JsonObject()
            .with("scope", new JsonObject().with("name", "dev.regen"))
            .with("spans", some.stream().map(Span::json).toList());
    JsonObject body =
        new JsonObject()
            .with(
                "resourceSpans",
                List.of(
                    new JsonObject()
                        .with("resource", resource)
                        .with("scopeSpans", List.of(scope))));
    HttpRequest request =
        HttpRequest.newBuilder(endpoint)
            .timeout(LIMIT)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(body.bytes()))
            .build();
    try {
      int status = http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
      if (status >= OK_BELOW) {
        trouble("it answers " + status);
      } else {
        troubled = false;
      }
    } catch (IOException e) {
      trouble(Why.of(e));
    }
  }

  private void trouble(String why) {
    if (!troubled) {
      troubled = true;
      LOG.warn("traces are dropped: {}: {}", endpoint, why);
    }
  }

  @Override
  public void close() {
    sender.interrupt();
    http.shutdownNow();
  }
}
