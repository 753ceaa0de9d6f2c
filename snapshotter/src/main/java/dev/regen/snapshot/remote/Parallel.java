package dev.regen.snapshot.remote;

import dev.regen.runtime.Futures;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Small things to do at once. */
public final class Parallel {
  private static final int AT_ONCE = 16;

  private Parallel() {}

  /** Does something with one of many. */
  @FunctionalInterface
  public interface Work<T> {
    void run(T item) throws IOException;
  }

  /** Does it with all; nothing is under way any more when this returns or throws. */
  public static <T> void run(Collection<T> items, Work<T> work) throws IOException {
    run(items, AT_ONCE, work);
  }

  /** As above, with at most so many at once. */
  public static <T> void run(Collection<T> items, int atOnce, Work<T> work) throws IOException {
    List<T> all = List.copyOf(items);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> parts = new ArrayList<>();
      for (int part = 0; part < Math.min(atOnce, all.size()); part++) {
        int first = part;
        parts.add(
            threads.submit(() -> {
              for (int i = first; i < all.size(); i += atOnce) {
                work.run(all.get(i));
              }
              return null;
            }));
      }
      try {
        for (Future<?> part : parts) {
          Futures.get(part);
        }
      } finally {
        parts.forEach(part -> part.cancel(true));
      }
    }
  }
}
