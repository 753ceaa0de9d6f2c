package dev.regen.runtime;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** What another thread made, or failed with. */
public final class Futures {
  private Futures() {}

  /**
   * What it made, once it has.
   *
   * @throws IOException what it failed with
   * @throws InterruptedIOException if this thread is interrupted, which it then still is
   */
  public static <T extends @Nullable Object> T get(Future<T> future) throws IOException {
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException failure -> throw failure;
        case RuntimeException failure -> throw failure;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }
}
