package dev.regen.agent.jobs;

import dev.regen.runtime.json.JsonObject;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Those who want to know of every change; what they do wrong is nobody else's affair. */
final class JobListeners {
  private static final Logger LOG = LoggerFactory.getLogger(JobListeners.class);

  private final List<Consumer<JsonObject>> all = new CopyOnWriteArrayList<>();

  void add(Consumer<JsonObject> listener) {
    all.add(listener);
  }

  boolean isEmpty() {
    return all.isEmpty();
  }

  /** One after another, each with the state at this moment: no older one follows a newer one. */
  synchronized void tell(Job job) {
    if (all.isEmpty()) {
      return;
    }
    for (Consumer<JsonObject> one : all) {
      try {
        one.accept(job.json());
      } catch (RuntimeException e) {
        LOG.error("a listener failed", e);
      }
    }
  }
}
