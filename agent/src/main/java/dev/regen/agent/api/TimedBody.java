package dev.regen.agent.api;

import dev.regen.agent.jobs.Failure;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.TimeoutException;

/** A body that has to come within a time, though it come byte by byte. */
final class TimedBody extends FilterInputStream {
  private final long limitNanos;
  private final long begin = System.nanoTime();

  TimedBody(InputStream in, Duration limit) {
    super(in);
    this.limitNanos = limit.toNanos();
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] bytes, int from, int count) throws IOException {
    int read;
    try {
      read = super.read(bytes, from, count);
    } catch (IOException e) {
      throw e.getCause() instanceof TimeoutException ? tooSlow() : e;
    }
    if (System.nanoTime() - begin > limitNanos) {
      throw tooSlow();
    }
    return read;
  }

  private static ProblemException tooSlow() {
    return new ProblemException(Failure.Code.BAD_INPUT, "the request's body comes too slowly");
  }
}
