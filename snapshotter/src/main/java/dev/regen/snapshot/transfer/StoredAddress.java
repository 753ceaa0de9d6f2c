package dev.regen.snapshot.transfer;

import dev.regen.runtime.QueueName;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.QueueContent;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Finds snapshots of a store by the addresses that {@link QueueContent#find} knows. */
final class StoredAddress {
  static final Comparator<StoredSnapshot> OLDEST_FIRST =
      Comparator.comparing((StoredSnapshot stored) -> stored.element().time())
          .thenComparing(stored -> stored.id().value());

  private StoredAddress() {}

  /**
   * One of {@code oldestFirst}; of very many the newest only.
   *
   * @throws RegenException.NotFound if none has that address
   * @throws RegenException.BadInput if it is no address
   */
  static StoredSnapshot find(QueueName name, List<StoredSnapshot> oldestFirst, String address)
      throws RegenException {
    int from = Math.max(0, oldestFirst.size() - QueueContent.KEEP_MAX);
    Map<SnapshotId, StoredSnapshot> byId = new HashMap<>();
    List<Element> elements = new ArrayList<>();
    for (StoredSnapshot stored : oldestFirst.subList(from, oldestFirst.size())) {
      Element element = stored.element();
      byId.put(stored.id(), stored);
      elements.add(
          new Element(
              element.id(), element.since(), after(elements, element), element.end(), false));
    }
    QueueContent content =
        new QueueContent(
            name, QueueContent.KEEP_MAX, QueueContent.KEEP_MAX, elements, null, List.of(), false);
    return Objects.requireNonNull(byId.get(content.find(address, ZoneId.systemDefault()).id()));
  }

  /** Two hosts may have ended runs at one moment. */
  private static Instant after(List<Element> before, Element element) {
    Instant earliest = before.isEmpty() ? element.time() : before.getLast().time().plusMillis(1);
    return element.time().isAfter(earliest) ? element.time() : earliest;
  }
}
