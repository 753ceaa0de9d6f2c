package dev.regen.agent.rules;

import dev.regen.agent.rules.StateRules.SnapshotState;
import dev.regen.runtime.QueueName;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.capture.Arrivals;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/** Finds snapshots by their address for what somebody wants to do with them, if he may. */
public final class Snapshots {
  private static final Pattern ID = Pattern.compile("[0-9a-f]{4,}");

  private final SnapshotStore snapshots;
  private final Arrivals arrivals;

  public Snapshots(SnapshotStore snapshots, Arrivals arrivals) {
    this.snapshots = snapshots;
    this.arrivals = arrivals;
  }

  /**
   * The element that an address names, whose state allows {@code action}.
   *
   * @throws RegenException.NotFound if there is none, or no such queue
   * @throws RegenException.Refused if its state does not allow that; names the state
   * @throws RegenException.Damaged if that is because its manifest cannot be read
   */
  public Element require(Action action, QueueName queue, String address) throws IOException {
    Element element = arrivals.find(queue, address);
    SnapshotState state;
    RegenException why;
    try {
      Snapshot snapshot = snapshots.read(element.id());
      String locked = snapshots.whyLocked(snapshot.key());
      state = locked == null ? whole(element) : SnapshotState.LOCKED;
      String words = "snapshot " + element.id().shortened() + " is " + state.word();
      why = new RegenException.Refused(locked == null ? words : words + ": " + locked);
    } catch (RegenException.Damaged | RegenException.NotFound e) {
      state = SnapshotState.DAMAGED;
      why = e;
    }
    // One that is pinned or chosen its queue keeps, under its lock, and says so; and who restores
    // looks at the fence.
    if (!StateRules.snapshot(state, false, false).contains(action)) {
      throw why;
    }
    return element;
  }

  /** One that is still arriving, by the beginning of its id; empty if there is none. */
  public Optional<Snapshot> uploading(QueueName queue, String address) throws IOException {
    String wanted = address.toLowerCase(Locale.ROOT);
    if (!ID.matcher(wanted).matches()) {
      return Optional.empty();
    }
    return arrivals.uploading(queue).stream()
        .filter(snapshot -> snapshot.id().value().startsWith(wanted))
        .findFirst();
  }

  /** The state of one whose manifest can be read, and that is not locked. */
  public static SnapshotState whole(Element element) {
    return element.end().inconsistent() ? SnapshotState.INCONSISTENT : SnapshotState.COMPLETE;
  }
}
