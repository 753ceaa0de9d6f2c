package dev.regen.snapshot.capture;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.KnownFiles;
import dev.regen.runtime.os.Fd;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.chunk.Sealing;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.facts.GroupFact;
import dev.regen.snapshot.layer.ArchiveRequest;
import dev.regen.snapshot.layer.Archived;
import dev.regen.snapshot.layer.FrozenTree;
import dev.regen.snapshot.layer.KnownGroups;
import dev.regen.snapshot.layer.ListedTree;
import dev.regen.snapshot.layer.PresentTree;
import dev.regen.snapshot.layer.UpperFacts;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What snapshots know of the files on this host that they were made of, so that a file which is
 * still the same is neither linked nor read again.
 *
 * <p>Safe for use by several threads at once, for different jobs.
 */
public final class CapturedFiles implements KnownFiles {
  private static final Logger LOG = LoggerFactory.getLogger(CapturedFiles.class);

  private final Disk disk;
  private final CollectionGate gate;
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final Keys keys;
  private final QueueFacts facts;
  private final Listings listings;
  private final Map<String, Linked> linked = new ConcurrentHashMap<>();
  private final InstantSource clock = InstantSource.system();

  CapturedFiles(
      Disk disk,
      CollectionGate gate,
      SnapshotQueues queues,
      SnapshotStore snapshots,
      Keys keys,
      QueueFacts facts,
      Listings listings) {
    this.disk = disk;
    this.gate = gate;
    this.queues = queues;
    this.snapshots = snapshots;
    this.keys = keys;
    this.facts = facts;
    this.listings = listings;
  }

  /**
   * {@inheritDoc}
   *
   * <p>The chunks that its listing names stay until {@link #settle}.
   */
  @Override
  public boolean freeze(FrozenLayer layer, Path upper, Path into, Duration limit)
      throws IOException {
    Optional<Hold> hold = gate.tryEnter();
    if (hold.isEmpty() || !queues.exists(layer.queue())) {
      hold.ifPresent(Hold::close);
      return false;
    }
    try (Hold _ = hold.get()) {
      // Names of an encrypted queue's files must not stand in a listing.
      boolean encrypted = queues.look(layer.queue()).encrypted();
      KnownGroups known = facts.known(layer.queue());
      if (known.isEmpty() || encrypted) {
        return false;
      }
      Path listing = listings.begun(layer.job());
      return ListedTree.make(
          disk, upper, ArchiveRequest.of(layer, Sealing.NONE), known, into, listing, limit, clock);
    } catch (IOException e) {
      LOG.warn("all files of {} are set aside, for want of facts: {}", upper, e.getMessage());
      return false;
    }
  }

  /** Whether the listing of a layer that was frozen in part is there. */
  public boolean hasListing(String job) throws IOException {
    return listings.has(job);
  }

  /** Removes the listings of all layers but those of {@code jobs}; no freeze may be under way. */
  public void sweepListings(Set<String> jobs) throws IOException {
    listings.keepOnly(jobs);
  }

  /**
   * What snapshots of its queue hold of a layer that another is to take the place of.
   *
   * @param layer nobody may change its tree, or link its files, before it is replaced
   * @throws java.util.concurrent.CancellationException soon after {@code cancelled} has said true
   */
  public PresentTree present(FrozenLayer layer, BooleanSupplier cancelled) throws IOException {
    try (Hold _ = gate.enter()) {
      Sealing sealing = Sealing.of(queues.look(layer.queue()).encrypted(), keys);
      return PresentTree.look(
          layer.tree(),
          ArchiveRequest.of(layer, sealing),
          facts.known(layer.queue()),
          clock,
          cancelled);
    }
  }

  /**
   * What snapshots of its queue hold of a tree that was made of one of them, or that one of them
   * was made of; with the host's own ids.
   *
   * @throws java.util.concurrent.CancellationException soon after {@code cancelled} has said true
   */
  public PresentTree present(Path tree, Snapshot snapshot, BooleanSupplier cancelled)
      throws IOException {
    KeyId key = snapshot.key();
    Sealing sealing = key == null ? Sealing.NONE : Sealing.under(keys.key(key));
    ArchiveRequest request =
        new ArchiveRequest(List.of(), List.of(), List.of(), List.of(), sealing);
    try (Hold _ = gate.enter()) {
      return PresentTree.look(tree, request, facts.known(snapshot.queue()), clock, cancelled);
    }
  }

  /**
   * Whether the newest snapshot of a queue holds just what is known, unread, of {@code present}.
   */
  public boolean isTail(QueueName queue, PresentTree present) throws IOException {
    Optional<Element> tail = queues.look(queue).tail();
    Optional<Snapshot> snapshot =
        tail.isEmpty() ? Optional.empty() : snapshots.readIfWhole(tail.get().id());
    return snapshot.isPresent() && present.holdsJust(snapshot.get().archive().chunks());
  }

  /**
   * Removes a captured tree that shares files with its container's upper, and notes what is then
   * known of the upper, so that the next freeze and capture have little to do.
   *
   * @param upper null if it is gone, or something may run on it
   * @param links the tree
   * @param stopped asked often: when it says true, nothing is noted and the rest of the tree goes
   *     in its own time
   */
  public void settle(
      FrozenLayer layer, @Nullable Path upper, UpperFacts.Links links, BooleanSupplier stopped)
      throws IOException {
    Linked captured = linked.remove(layer.job());
    try {
      if (captured != null && upper != null) {
        noteSettled(layer, captured, upper, links, stopped);
      }
      if (Fd.statIfThere(layer.tree()) != null) {
        links.remove().join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    listings.remove(layer.job());
  }

  /** The container may be removed at any moment, and its upper with it: then nothing is noted. */
  private void noteSettled(
      FrozenLayer layer,
      Linked captured,
      Path upper,
      UpperFacts.Links links,
      BooleanSupplier stopped)
      throws InterruptedException {
    try {
      UpperFacts after = new UpperFacts(upper, ArchiveRequest.of(layer, captured.sealing()), clock);
      Archived made = captured.made();
      List<GroupFact> known = new ArrayList<>(made.facts());
      known.addAll(after.after(links, made.linked(), layer.endedAt(), stopped));
      facts.note(captured.id(), captured.archive(), known);
    } catch (IOException e) {
      LOG.info("the next capture reads all of {}: {}", upper, e.getMessage());
    }
  }

  /**
   * The groups of files that some snapshot of {@code queue} holds, the newest before the others.
   */
  KnownGroups known(QueueName queue) throws IOException {
    return facts.known(queue);
  }

  /** The layer's tree as it is to be read. */
  FrozenTree tree(FrozenLayer layer) {
    return new FrozenTree(layer.tree(), layer.kind(), listings.file(layer.job()));
  }

  /** Notes what is known of the tree of {@code layer}, which was kept as {@code archive}. */
  void note(FrozenLayer layer, SnapshotId id, Archive archive, Archived made, Sealing sealing) {
    if (!archive.sameLayer(made.archive())
        || !archive.entryIndex().equals(made.archive().entryIndex())) {
      return;
    }
    switch (layer.kind()) {
      case EXCHANGED -> facts.note(id, archive, made.facts());
      case LINKED, LISTED -> linked.put(layer.job(), new Linked(id, archive, made, sealing));
      case IN_PLACE -> {
        // A container may go on writing through a mapping of its memory, which moves no time.
      }
    }
  }

  /** What is to be noted when the links are gone. */
  private record Linked(SnapshotId id, Archive archive, Archived made, Sealing sealing) {}
}
