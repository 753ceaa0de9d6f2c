package dev.regen.agent.fleet;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Those who wait for a job to end. */
final class JobWaits {
  private final Map<String, Map<Semaphore, Boolean>> waiting = new HashMap<>();

  /** Asks how a job is. */
  @FunctionalInterface
  interface Look {
    JobRow now() throws IOException, InterruptedException;
  }

  /** The job when it has ended, or as it is after so long. */
  JobRow await(String id, long millis, Look look) throws IOException, InterruptedException {
    Semaphore changed = new Semaphore(0);
    synchronized (waiting) {
      waiting.computeIfAbsent(id, _ -> new HashMap<>()).put(changed, true);
    }
    try {
      long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
      JobRow job = look.now();
      for (long left = millis; !job.ended() && left > 0; ) {
        if (changed.tryAcquire(left, TimeUnit.MILLISECONDS)) {
          changed.drainPermits();
          job = look.now();
        }
        left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      }
      return job;
    } finally {
      synchronized (waiting) {
        Map<Semaphore, Boolean> others = waiting.get(id);
        if (others != null) {
          others.remove(changed);
          if (others.isEmpty()) {
            waiting.remove(id);
          }
        }
      }
    }
  }

  /** A job has changed. */
  void changed(FleetChanges.Entry entry) throws IOException {
    synchronized (waiting) {
      if (waiting.isEmpty()) {
        return;
      }
      Map<Semaphore, Boolean> those = waiting.get(JsonObject.parse(entry.data()).string("id"));
      if (those != null) {
        those.keySet().forEach(Semaphore::release);
      }
    }
  }
}
