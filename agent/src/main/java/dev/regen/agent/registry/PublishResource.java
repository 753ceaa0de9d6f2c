package dev.regen.agent.registry;

import dev.regen.agent.tcp.Exchange;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.publish.LayerForm;
import dev.regen.snapshot.publish.Limits;
import dev.regen.snapshot.publish.ManifestForm;
import dev.regen.snapshot.publish.PublishRequest;
import dev.regen.snapshot.publish.Publishable;
import dev.regen.snapshot.publish.Published;
import dev.regen.snapshot.publish.Publishing;
import dev.regen.snapshot.publish.UnpublishableException;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.registry.ContentDigest;
import dev.regen.snapshot.registry.Registry;
import dev.regen.snapshot.registry.RegistryException;
import dev.regen.snapshot.registry.RepositoryName;
import dev.regen.snapshot.registry.TagName;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code /v2/NAME/_regen/publish}: a snapshot of the store becomes an image of the repository. What
 * is wrong with the request, or with what it names, has a status; then the answer is a JSON object
 * a line, one a second, with how far it is, and the last says what came of it: {@code digest}, or
 * {@code errors} and the {@code status} that it would have had.
 */
final class PublishResource {
  private static final Logger LOG = LoggerFactory.getLogger(PublishResource.class);
  private static final int BODY_BYTES_MAX = 16 << 10;
  private static final int VALUES_MAX = 100;
  private static final Duration TELL_EVERY = Duration.ofSeconds(1);

  private final Registry registry;
  private final Publishing publishing;
  private final Rules rules;

  PublishResource(Registry registry, Publishing publishing, Rules rules) {
    this.registry = registry;
    this.publishing = publishing;
    this.rules = rules;
  }

  void post(Exchange exchange, RepositoryName repository) throws IOException {
    PublishRequest request = request(exchange, repository);
    Publishable found;
    try {
      found = publishing.find(request);
    } catch (UnpublishableException e) {
      problem(e).answer(exchange);
      return;
    }
    exchange.response().setStatus(HttpStatus.OK_200);
    exchange.response().getHeaders().put(HttpHeader.CONTENT_TYPE, "application/x-ndjson");
    PublishJob job = new PublishJob();
    FutureTask<Published> work =
        new FutureTask<>(() -> publishing.publish(found, request, limits(), job));
    Thread worker = Thread.ofVirtual().name("publish").start(work);
    try {
      write(exchange, follow(exchange, work, job, request.squash()));
      exchange.end();
    } finally {
      // Nobody hears of it any more; else it has ended.
      job.cancel();
      join(worker);
    }
  }

  /** Returns the last line. */
  private static JsonObject follow(
      Exchange exchange, FutureTask<Published> work, PublishJob job, boolean squashed)
      throws IOException {
    while (true) {
      try {
        return done(work.get(TELL_EVERY.toMillis(), TimeUnit.MILLISECONDS), squashed);
      } catch (TimeoutException e) {
        write(exchange, job.json());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted");
      } catch (ExecutionException e) {
        Exception cause = e.getCause() instanceof Exception known ? known : e;
        LOG.warn("not published: {}", cause.toString());
        RegistryProblem problem = problem(cause);
        return problem.json().with("status", problem.status());
      }
    }
  }

  private static JsonObject done(Published published, boolean squashed) {
    return new JsonObject()
        .with("digest", published.digest().toString())
        .with("snapshot", published.snapshot().id().value())
        .with("time", published.snapshot().time())
        .with("layers", published.layers())
        .with("squashed", squashed)
        .with("layerBytes", published.layerBytes());
  }

  private static void write(Exchange exchange, JsonObject line) throws IOException {
    exchange.write(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8)));
  }

  private static void join(Thread worker) throws InterruptedIOException {
    try {
      worker.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  private static RegistryProblem problem(Exception cause) {
    if (!(cause instanceof UnpublishableException why)) {
      return RegistryProblem.of(cause);
    }
    String message = String.valueOf(why.getMessage());
    return switch (why.reason()) {
      case NOT_THERE ->
          new RegistryProblem(
              HttpStatus.NOT_FOUND_404, RegistryException.Code.UNKNOWN, message, null);
      case REFUSED ->
          new RegistryProblem(
              HttpStatus.CONFLICT_409, RegistryException.Code.DENIED, message, null);
    };
  }

  private static PublishRequest request(Exchange exchange, RepositoryName repository)
      throws IOException {
    byte[] body = RequestBody.whole(exchange.request(), BODY_BYTES_MAX);
    try {
      JsonObject json = JsonObject.parse(body, VALUES_MAX);
      String snapshot = json.string("snapshot");
      QueueContent.checkAddress(snapshot);
      String tag = json.string("tag");
      if (!TagName.isValid(tag)) {
        throw ManifestResource.invalidTag();
      }
      String layer = json.stringOrNull("layer");
      String manifest = json.stringOrNull("manifest");
      return new PublishRequest(
          new QueueName(json.string("queue")),
          snapshot,
          repository,
          new TagName(tag),
          layer == null ? LayerForm.ZSTD : LayerForm.of(layer),
          manifest == null ? ManifestForm.OCI : ManifestForm.of(manifest),
          json.flag("squash"));
    } catch (RegistryException e) {
      throw e;
    } catch (IOException | IllegalArgumentException e) {
      throw new RegistryException(
          RegistryException.Code.MANIFEST_INVALID, String.valueOf(e.getMessage()));
    }
  }

  private Limits limits() {
    return new Limits() {
      @Override
      public void requireRoom(RepositoryName repository, long bytes) throws IOException {
        rules.requireRoom(registry, repository, bytes);
      }

      @Override
      public void requireChangeable(RepositoryName repository, TagName tag, ContentDigest digest)
          throws IOException {
        rules.requireChangeable(registry, repository, tag, digest);
      }

      @Override
      public boolean isImmutable(RepositoryName repository, TagName tag) {
        return rules.isImmutable(repository, tag);
      }
    };
  }
}
