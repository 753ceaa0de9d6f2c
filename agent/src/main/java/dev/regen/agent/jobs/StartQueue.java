package dev.regen.agent.jobs;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The operations that wait to be started, in the order in which they were asked for: for a place,
 * and for room in a batch. Not safe for several threads.
 */
final class StartQueue {
  /** Who takes room from whom. */
  enum Place {
    WORK,
    TRANSFER
  }

  /** One that waits, or was started. */
  static final class Entry {
    private final Job job;
    private final Place place;
    private final Runnable begin;
    private final long deadlineNanos;
    private Batches.@Nullable Batch batch;

    /**
     * One that may be started.
     *
     * @param begin starts it; must not take long
     */
    Entry(Job job, Place place, Runnable begin, long deadlineNanos) {
      this.job = job;
      this.place = place;
      this.begin = begin;
      this.deadlineNanos = deadlineNanos;
    }

    Job job() {
      return job;
    }

    void begin() {
      begin.run();
    }
  }

  private final JobLimits limits;
  private final Batches batches;
  private final List<Entry> waiting = new ArrayList<>();
  private final Map<Place, Integer> taken = new EnumMap<>(Place.class);

  StartQueue(JobLimits limits) {
    this.limits = limits;
    batches = new Batches(limits.interval(), limits.batch());
  }

  void add(Entry entry) {
    waiting.add(entry);
  }

  boolean isEmpty() {
    return waiting.isEmpty();
  }

  int batchSize(long nowNanos) {
    batches.mayStart(nowNanos); // The batch of an interval that is over counts.
    return batches.size();
  }

  /** Takes out those that may be started now. */
  List<Entry> startable(long nowNanos) {
    List<Entry> startable = new ArrayList<>();
    for (Iterator<Entry> each = waiting.iterator(); each.hasNext(); ) {
      Entry entry = each.next();
      if (!batches.mayStart(nowNanos)) {
        break;
      }
      if (!entry.job.cancelled() && nowNanos < entry.deadlineNanos && hasPlace(entry.place)) {
        each.remove();
        taken.merge(entry.place, 1, Integer::sum);
        entry.batch = batches.start(nowNanos);
        startable.add(entry);
      }
    }
    return startable;
  }

  /** Takes out those that will not be started: too late, or not wanted any more. */
  List<Entry> givenUp(long nowNanos) {
    List<Entry> gone =
        waiting.stream()
            .filter(entry -> entry.job.cancelled() || nowNanos >= entry.deadlineNanos)
            .toList();
    waiting.removeAll(gone);
    return gone;
  }

  /** Why {@code entry} was not started, for a person. */
  String reason(Entry entry) {
    return hasPlace(entry.place)
        ? "in each "
            + limits.interval().toMillis() / 1000.0
            + " s "
            + batches.size()
            + " are started, and others came before it"
        : "all " + places(entry.place) + " places for such operations were taken";
  }

  /** One that {@link #startable} gave has ended. */
  void ended(Entry entry, Batches.Outcome outcome) {
    taken.merge(entry.place, -1, Integer::sum);
    if (entry.batch != null) {
      batches.ended(entry.batch, outcome);
    }
  }

  /** When to look again at the latest, unless one comes or ends before. */
  long nanosToNextLook(long nowNanos, long otherwise) {
    long nanos = otherwise;
    if (!batches.mayStart(nowNanos)) {
      nanos = Math.min(nanos, batches.nanosLeft(nowNanos));
    }
    for (Entry entry : waiting) {
      nanos = Math.min(nanos, entry.deadlineNanos - nowNanos);
    }
    return Math.max(0, nanos);
  }

  private boolean hasPlace(Place place) {
    return taken.getOrDefault(place, 0) < places(place);
  }

  private int places(Place place) {
    return switch (place) {
      case WORK -> limits.places();
      case TRANSFER -> limits.transferPlaces();
    };
  }
}
