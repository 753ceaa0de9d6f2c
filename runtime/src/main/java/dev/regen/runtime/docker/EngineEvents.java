package dev.regen.runtime.docker;

import com.github.dockerjava.transport.DockerHttpClient.Response;
import dev.regen.runtime.json.JsonObject;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the engine's events, and goes on where it was after the engine was away. An event may be
 * told twice; none is left out that the engine still remembers (it keeps the last 256).
 */
public final class EngineEvents implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EngineEvents.class);
  private static final int LINE_BYTES_MAX = 1 << 20;
  private static final Duration BACKOFF_FIRST = Duration.ofMillis(200);
  private static final Duration BACKOFF_MAX = Duration.ofSeconds(5);

  /** An engine that runs has answered the first try by then; one that starts has not. */
  private static final Duration FIRST_TRY = Duration.ofSeconds(2);

  /** Longer than docker.service takes to stop containers that do not heed SIGTERM. */
  private static final Duration STOP_LIMIT = Duration.ofSeconds(30);

  private final Engine engine;
  private final InstantSource clock;
  private final Consumer<EngineEvent> listener;
  private final Thread thread;
  private volatile Instant since;

  private volatile boolean connected;

  /** Until the first try has failed or lasts too long, what the engine remembers may be heard. */
  private volatile boolean firstTry = true;

  private volatile long startedAtNanos = System.nanoTime();

  private volatile boolean closed;
  private volatile @Nullable Response open;

  /**
   * @param since the first moment of interest
   * @param listener called on one thread, in order; what it throws is logged
   */
  public EngineEvents(
      Engine engine, InstantSource clock, Instant since, Consumer<EngineEvent> listener) {
    this.engine = engine;
    this.clock = clock;
    this.since = since;
    this.listener = listener;
    thread = Thread.ofPlatform().name("engine-events").daemon().unstarted(this::follow);
  }

  public void start() {
    startedAtNanos = System.nanoTime();
    thread.start();
  }

  /**
   * Whether the engine is there and tells its events, as far as is known. A socket that systemd
   * holds takes connections before the engine is up, which then wait for it; so does a container
   * that starts at boot, and must not wait for the engine.
   */
  public boolean connected() {
    return connected || (firstTry && System.nanoTime() - startedAtNanos < FIRST_TRY.toNanos());
  }

  @Override
  public void close() {
    closed = true;
    Response response = open;
    if (response != null) {
      try {
        response.close();
      } catch (RuntimeException e) {
        LOG.debug("closing the engine's events", e);
      }
    }
    thread.interrupt();
  }

  private void follow() {
    Duration backoff = BACKOFF_FIRST;
    while (!closed) {
      boolean wasThere;
      try (Response response = engine.events(since)) {
        open = response;
        connected = true;
        backoff = BACKOFF_FIRST;
        LOG.info("the engine is there, API {}", engine.version());
        read(response.getBody());
      } catch (IOException | RuntimeException e) {
        if ((connected || firstTry) && !closed) {
          LOG.info("the engine is not there: {}", e.getMessage());
        }
      } finally {
        wasThere = connected;
        connected = false;
        firstTry = false;
        open = null;
      }
      backoff = pause(backoff, wasThere);
    }
  }

  private Duration pause(Duration backoff, boolean wasThere) {
    try {
      if (wasThere && !closed) {
        SocketActivation.OF_THIS_HOST.awaitEngineEnd(STOP_LIMIT);
      }
      Thread.sleep(backoff);
    } catch (InterruptedException e) {
      closed = true;
    }
    Duration doubled = backoff.multipliedBy(2);
    return doubled.compareTo(BACKOFF_MAX) > 0 ? BACKOFF_MAX : doubled;
  }

  private void read(InputStream body) throws IOException {
    InputStream in = new BufferedInputStream(body, 8192);
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b >= 0; b = in.read()) {
      if (b != '\n') {
        line.write(b);
        if (line.size() > LINE_BYTES_MAX) {
          throw new IOException("an event of the engine is longer than " + LINE_BYTES_MAX);
        }
      } else if (line.size() > 0) {
        tell(line.toByteArray());
        line.reset();
      }
    }
    throw new IOException("the engine ended its events at " + clock.instant());
  }

  private void tell(byte[] line) {
    try {
      EngineEvent event = EngineEvent.of(JsonObject.parse(line)).orElse(null);
      if (event != null) {
        since = event.time();
        listener.accept(event);
      }
    } catch (IOException | RuntimeException e) {
      LOG.warn("an event of the engine could not be used: {}", e.toString());
    }
  }
}
