package dev.regen.agent.tcp;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;

/**
 * Reads the bodies of requests, with a limit on the memory that all of them take together and on
 * the time that each may take.
 */
public final class Bodies {
  private static final int UNIT_BYTES = 1 << 10;

  private static final Duration WAIT_LIMIT = Duration.ofSeconds(10);
  private static final Duration READ_LIMIT = Duration.ofSeconds(30);
  private static final int SLOWEST_BYTES_PER_SECOND = 64 << 10;

  private final Semaphore units;

  /**
   * @param bytes what all bodies that are in memory may take together; a longer one never fits
   */
  public Bodies(int bytes) {
    this.units = new Semaphore(bytes / UNIT_BYTES, true);
  }

  /** Memory that is taken until this is closed. */
  public interface Taken extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Takes memory.
   *
   * @throws StatusException 503 if too much is in use for too long
   */
  public Taken take(long bytes) throws IOException, InterruptedException {
    int count = Math.toIntExact(bytes / UNIT_BYTES + 1);
    if (!units.tryAcquire(count, WAIT_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new StatusException(503, "too many requests at once; try again");
    }
    return () -> units.release(count);
  }

  /**
   * The length that a request declares.
   *
   * @throws StatusException 411 if it declares none, 413 if that is more than {@code limitBytes}
   */
  public static int length(Request request, int limitBytes) throws StatusException {
    long length = request.getLength();
    if (length < 0) {
      throw new StatusException(411, "a request with a body declares its Content-Length");
    }
    if (length > limitBytes) {
      throw new StatusException(413, "at most " + limitBytes + " bytes fit, not " + length);
    }
    return (int) length;
  }

  /**
   * The whole body, of the length that was declared.
   *
   * @throws StatusException 408 if it comes too slowly, 400 if it ends too early
   */
  public static byte[] read(Request request, int length) throws IOException {
    byte[] bytes = new byte[length];
    try (InputStream body = stream(request, length)) {
      body.readNBytes(bytes, 0, length);
    }
    return bytes;
  }

  /**
   * The body, of the length that was declared, to be read piece by piece. Reading it fails with a
   * {@link StatusException}: 408 if it comes too slowly, 400 if it ends too early.
   */
  public static InputStream stream(Request request, int length) {
    return new Timed(Content.Source.asInputStream(request), length);
  }

  private static final class Timed extends InputStream {
    private final InputStream in;
    private final int length;
    private final long limitNanos;
    private final long begin = System.nanoTime();
    private final ComingTogether together = new ComingTogether();
    private int at;
    private boolean slow;

    Timed(InputStream in, int length) {
      this.in = in;
      this.length = length;
      this.limitNanos = READ_LIMIT.plusSeconds(length / SLOWEST_BYTES_PER_SECOND).toNanos();
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int from, int count) throws IOException {
      if (at == length) {
        return -1;
      }
      if (slow) {
        together.await(at, length - at);
      }
      int wanted = Math.min(count, length - at);
      int read = in.read(bytes, from, wanted);
      slow = read < wanted;
      if (read < 0) {
        throw new StatusException(400, "the body ends after " + at + " of " + length + " bytes");
      }
      at += read;
      if (System.nanoTime() - begin > limitNanos) {
        throw new StatusException(408, "the body comes too slowly");
      }
      return read;
    }
  }
}
