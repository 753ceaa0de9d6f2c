package dev.regen.agent.registry;

import dev.regen.agent.tcp.ComingTogether;
import dev.regen.runtime.Why;
import dev.regen.snapshot.registry.RegistryException;
import dev.regen.snapshot.registry.Uploads;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/** A request's body as it arrives. For one thread. */
final class RequestBody implements Uploads.Body, AutoCloseable {
  private static final ByteBuffer NOTHING_YET = ByteBuffer.allocate(0);
  private static final Duration LOOK_EVERY = Duration.ofSeconds(1);

  /** A client that is slower for so long gives its place to others. */
  private static final Duration SLOW_FOR = Duration.ofMinutes(2);

  private static final int SLOWEST_BYTES_PER_SECOND = 1 << 10;

  /** Of the first of a body: most are short, and wanted soon. */
  private static final int AT_ONCE_BYTES = 1 << 20;

  private final Request request;
  private final long begin = System.nanoTime();
  private final ComingTogether together = new ComingTogether();
  private final long saidBytes;
  private @Nullable CountDownLatch arrival;
  private long arrivedBytes;
  private Content.@Nullable Chunk given;

  /**
   * @param saidBytes how long the client said that it is; negative for any length
   */
  RequestBody(Request request, long saidBytes) {
    this.request = request;
    this.saidBytes = saidBytes;
  }

  /**
   * All of a short body.
   *
   * @throws TooLong if it is longer than that
   * @throws Uploads.Gone if it ended early
   */
  static byte[] whole(Request request, int limitBytes) throws IOException {
    byte[] bytes = {};
    if (request.getLength() <= limitBytes) {
      try (InputStream in = Content.Source.asInputStream(request)) {
        bytes = in.readNBytes(limitBytes + 1);
      } catch (IOException e) {
        throw new Uploads.Gone("the body ended early: " + Why.of(e), e);
      }
    }
    if (bytes.length > limitBytes || request.getLength() > limitBytes) {
      throw new TooLong(limitBytes);
    }
    return bytes;
  }

  /** A body that is longer than it may be. */
  static final class TooLong extends IOException {
    private static final long serialVersionUID = 1;

    TooLong(int limitBytes) {
      super("at most " + limitBytes + " bytes are taken here");
    }
  }

  @Override
  public @Nullable ByteBuffer next() throws IOException {
    release();
    boolean letCome = false;
    while (true) {
      // What was asked for comes first: whoever reads on without it ends with a connection that
      // still waits, which is then cut.
      CountDownLatch asked = arrival;
      if (asked != null && !hasArrived(asked)) {
        requireSpeed();
        return NOTHING_YET;
      }
      Content.Chunk chunk = request.read();
      if (chunk == null && !letCome) {
        letCome = true;
        if (arrivedBytes > AT_ONCE_BYTES) {
          together.await(arrivedBytes, Long.MAX_VALUE);
        }
      } else if (chunk == null) {
        ask();
      } else if (Content.Chunk.isFailure(chunk)) {
        throw new Uploads.Gone("the body ended early: " + chunk.getFailure(), chunk.getFailure());
      } else if (chunk.hasRemaining()) {
        given = chunk;
        arrivedBytes += chunk.remaining();
        requireSaid(saidBytes >= 0 && arrivedBytes > saidBytes);
        return chunk.getByteBuffer();
      } else {
        chunk.release();
        if (chunk.isLast()) {
          requireSaid(arrivedBytes < saidBytes);
          return null;
        }
      }
    }
  }

  /** So far. */
  long arrivedBytes() {
    return arrivedBytes;
  }

  @Override
  public void close() {
    release();
  }

  private void requireSaid(boolean another) throws RegistryException {
    if (another) {
      throw new RegistryException(
          RegistryException.Code.SIZE_INVALID,
          "Content-Range is of " + saidBytes + " bytes, the body has another length");
    }
  }

  private void release() {
    Content.Chunk before = given;
    if (before != null) {
      given = null;
      before.release();
    }
  }

  private void ask() {
    CountDownLatch asked = new CountDownLatch(1);
    arrival = asked;
    request.demand(asked::countDown);
  }

  /** Whether what was asked for has come, waiting a little for that. */
  private boolean hasArrived(CountDownLatch asked) throws InterruptedIOException {
    try {
      if (!asked.await(LOOK_EVERY.toMillis(), TimeUnit.MILLISECONDS)) {
        return false;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
    arrival = null;
    return true;
  }

  private void requireSpeed() throws Uploads.Gone {
    long seconds = (System.nanoTime() - begin) / 1_000_000_000L;
    if (seconds > SLOW_FOR.toSeconds() && arrivedBytes / seconds < SLOWEST_BYTES_PER_SECOND) {
      throw new Uploads.Gone(
          "the body comes too slowly", new TimeoutException(arrivedBytes + " bytes in " + seconds));
    }
  }
}
