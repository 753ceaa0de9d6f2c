package dev.regen.snapshot.registry;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What was read lately of records that never change, by their names. Safe for use by several
 * threads at once.
 *
 * @param <V> what such a record says
 */
final class RecentlyUsed<V> {
  private static final float LOAD_FACTOR = 0.75f;

  private final long weightMax;
  private final Map<String, Weighed<V>> values = new LinkedHashMap<>(16, LOAD_FACTOR, true);
  private long weight;

  private record Weighed<V>(V value, long weight) {}

  /**
   * @param weightMax of all together; one that is heavier than a quarter is not kept
   */
  RecentlyUsed(long weightMax) {
    this.weightMax = weightMax;
  }

  synchronized @Nullable V get(String name) {
    Weighed<V> found = values.get(name);
    return found == null ? null : found.value();
  }

  synchronized void put(String name, V value, long itsWeight) {
    if (itsWeight > weightMax / 4) {
      return;
    }
    Weighed<V> before = values.put(name, new Weighed<>(value, itsWeight));
    weight += itsWeight - (before == null ? 0 : before.weight());
    Iterator<Weighed<V>> oldest = values.values().iterator();
    while (weight > weightMax && oldest.hasNext()) {
      weight -= oldest.next().weight();
      oldest.remove();
    }
  }
}
