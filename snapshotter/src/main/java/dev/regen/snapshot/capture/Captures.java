package dev.regen.snapshot.capture;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.DiskFullException;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.KnownFiles;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.End;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.chunk.Sealing;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.facts.FactsStore;
import dev.regen.snapshot.facts.GroupFact;
import dev.regen.snapshot.layer.ArchiveRequest;
import dev.regen.snapshot.layer.Archived;
import dev.regen.snapshot.layer.FrozenTree;
import dev.regen.snapshot.layer.KnownGroups;
import dev.regen.snapshot.layer.ListedTree;
import dev.regen.snapshot.layer.PresentTree;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.layer.UpperFacts;
import dev.regen.snapshot.queue.Appended;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.JobDone;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.queue.SnapshotQueue;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.ChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes frozen layers into their queues, and deletes what has left them.
 *
 * <p>A capture is archive → force → manifest → queue → only then, delete what the queue gave up.
 * After a crash or an exception anywhere in between, the snapshot is whole in its queue or absent,
 * what was there before is still there, and the same call may be made again: a capture that was
 * complete is recognised by its job's name. Captures never touch the frozen tree.
 *
 * <p>Safe for use by several threads at once, for different jobs.
 */
public final class Captures implements KnownFiles {
  private static final Logger LOG = LoggerFactory.getLogger(Captures.class);

  private final Disk disk;
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final ChunkStore chunks;
  private final Archiver archiver;
  private final CollectionGate gate;
  private final Collector collector;
  private final QueueFacts facts;
  private final Listings listings;
  private final Map<String, Linked> linked = new ConcurrentHashMap<>();
  private final Garbage garbage = new Garbage();
  private final Keys keys;
  private final InstantSource clock = InstantSource.system();

  /**
   * Captures into one home.
   *
   * @param home holds {@code collect.lock}; must be there
   * @param archiver puts chunks into {@code chunks}
   * @param keys for queues that encrypt
   */
  public Captures(
      Disk disk,
      Path home,
      SnapshotQueues queues,
      SnapshotStore snapshots,
      ChunkStore chunks,
      Archiver archiver,
      Keys keys) {
    this.disk = disk;
    this.queues = queues;
    this.snapshots = snapshots;
    this.chunks = chunks;
    this.archiver = archiver;
    this.keys = keys;
    this.gate = new CollectionGate(disk, home.resolve("collect.lock"));
    this.listings = new Listings(disk, home.resolve("listings"));
    this.collector = new Collector(queues, snapshots, chunks, listings::chunks);
    this.facts = new QueueFacts(queues, snapshots, chunks, keys, new FactsStore(disk, snapshots));
  }

  /**
   * Takes {@code layer} in; its queue is made if there is none. It survives a power cut once this
   * has returned.
   *
   * @param end how the run ended
   * @throws RegenException.Refused if the disk is full; may be tried again when there is room
   * @throws RegenException.Damaged if the queue cannot be read
   * @throws java.util.concurrent.CancellationException soon after {@code cancelled} has said true
   * @throws IOException if the tree or the disk fails; the queue is then as it was
   */
  public CaptureResult capture(
      FrozenLayer layer, End end, Progress progress, BooleanSupplier cancelled) throws IOException {
    return capture(layer, () -> end, progress, cancelled);
  }

  /** How a run ended, as is known once its layer has been read. */
  @FunctionalInterface
  public interface EndAfterReading {
    /** Asked once, after the last byte was read and before anything of the snapshot is recorded. */
    End end() throws IOException;
  }

  /** As above, for layers that may change while they are read. */
  public CaptureResult capture(
      FrozenLayer layer, EndAfterReading end, Progress progress, BooleanSupplier cancelled)
      throws IOException {
    try {
      Optional<CaptureResult> before = resultOfEarlierCall(layer);
      return before.isPresent() ? before.get() : archive(layer, end, progress, cancelled);
    } catch (IOException e) {
      throw DiskFullException.behind(e).<IOException>map(full -> full(layer, full)).orElse(e);
    } finally {
      collect();
    }
  }

  /** Whether an earlier call of {@link #capture} was complete: the tree is needed no more. */
  public boolean isCaptured(FrozenLayer layer) throws IOException {
    if (!queues.exists(layer.queue())) {
      return false;
    }
    try (SnapshotQueue queue = queues.open(layer.queue())) {
      return queue.done(layer.job()).isPresent();
    }
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
          disk, upper, request(layer, Sealing.NONE), known, into, listing, limit, clock);
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
      if (captured == null || upper == null) {
        links.remove().join();
      } else {
        UpperFacts facts = new UpperFacts(upper, request(layer, captured.sealing()), clock);
        Archived made = captured.made();
        List<GroupFact> known = new ArrayList<>(made.facts());
        known.addAll(facts.after(links, made.linked(), layer.endedAt(), stopped));
        this.facts.note(captured.id(), captured.archive(), known);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    listings.remove(layer.job());
  }

  /** Keeps collection away while chunks of snapshots are read that may leave their queue. */
  public Hold reading() throws IOException {
    return gate.enter();
  }

  /**
   * What snapshots of its queue hold of a layer that another is to take the place of.
   *
   * @param layer nobody may change its tree, or link its files, before it is replaced
   * @throws java.util.concurrent.CancellationException soon after {@code cancelled} has said true
   */
  public PresentTree present(FrozenLayer layer, BooleanSupplier cancelled) throws IOException {
    try (Hold _ = gate.enter()) {
      return PresentTree.look(
          layer.tree(),
          request(layer),
          facts.known(layer.queue()),
          InstantSource.system(),
          cancelled);
    }
  }

  /**
   * Whether the newest snapshot of a queue holds just what is known, unread, of {@code present}.
   */
  public boolean isTail(QueueName queue, PresentTree present) throws IOException {
    Optional<Element> tail = queues.look(queue).tail();
    Snapshot snapshot = tail.isEmpty() ? null : readOrNull(tail.get().id());
    return snapshot != null && present.holdsJust(snapshot.archive().chunks());
  }

  /**
   * Takes one snapshot out of its queue and deletes its data.
   *
   * @throws RegenException.NotFound if the queue doesn't hold it
   * @throws RegenException.Refused if it is pinned, or chosen for the next run
   */
  public void remove(QueueName name, SnapshotId id) throws IOException {
    try (SnapshotQueue queue = queues.open(name)) {
      queue.remove(id);
    }
    forget(List.of(id));
    collect();
  }

  /**
   * Removes a queue with all its snapshots and their data.
   *
   * @throws RegenException.NotFound if there is no such queue
   * @throws RegenException.Refused if a snapshot is pinned, or chosen for the next run
   */
  public void remove(QueueName name) throws IOException {
    forget(queues.remove(name));
    collect();
  }

  /** Sets a queue's length, and deletes the data of what leaves it for that; returns their ids. */
  public List<SnapshotId> keep(QueueName name, int length) throws IOException {
    List<SnapshotId> left;
    try (SnapshotQueue queue = queues.open(name)) {
      left = queue.keep(length);
    }
    forget(left);
    collect();
    return left;
  }

  /**
   * Encrypts one snapshot under the active key, or decrypts it. The new chunks and the new manifest
   * last before the old chunks go: after a crash in between, the snapshot is whole, one way or the
   * other, and the same call may be made again.
   *
   * @return whether there was anything to do
   * @throws RegenException.NotFound if the queue doesn't hold the snapshot
   * @throws RegenException.Refused if a key is not to be had, or the disk is full; all is as before
   * @throws RegenException.Damaged if a chunk is; all is as before
   * @throws java.util.concurrent.CancellationException soon after {@code cancelled} has said true
   */
  public boolean reseal(
      QueueName name,
      SnapshotId id,
      boolean encrypted,
      Progress progress,
      BooleanSupplier cancelled)
      throws IOException {
    boolean complete = false;
    try (Hold _ = gate.enter()) {
      Snapshot before = snapshots.read(id).unlocked();
      Sealing sealing = sealing(encrypted);
      if (Objects.equals(before.key(), sealing.keyId())) {
        complete = true;
        return false;
      }
      ChunkReader reader = new ChunkReader(chunks, keys);
      Archive archive =
          new Resealing(chunks, reader, sealing, progress, cancelled).reseal(before.archive());
      chunks.force();
      replace(name, before, before.with(archive, sealing.keyId()));
      complete = true;
      return true;
    } finally {
      if (!complete) {
        garbage.addAll();
      }
      collect();
    }
  }

  private void replace(QueueName name, Snapshot before, Snapshot after) throws IOException {
    Set<Digest> old = digests(before);
    requireAll(digests(after));
    try (SnapshotQueue queue = queues.open(name)) {
      if (queue.content().element(before.id()).isEmpty()) {
        throw new RegenException.NotFound("queue " + name + " has no snapshot " + before.id());
      }
      // Its time may have moved since.
      Snapshot now = snapshots.read(before.id()).unlocked();
      if (!now.archive().equals(before.archive())) {
        throw new RegenException.Refused(
            "snapshot " + before.id().shortened() + " was changed meanwhile; try again");
      }
      snapshots.write(now.with(after.archive(), after.key()));
    }
    garbage.add(old);
  }

  /**
   * Deletes what a crash left: manifests that their queue doesn't name, chunks that no manifest
   * names, unfinished files. To be called at start, before or after the spool is drained.
   *
   * @throws RegenException.Refused while anything is captured or read
   */
  public Swept sweep() throws IOException {
    try (Hold _ =
        gate.tryCollect()
            .orElseThrow(
                () -> new RegenException.Refused("snapshots are being captured or read"))) {
      garbage.take();
      return collector.sweep();
    }
  }

  /** Reads every chunk and manifest of one queue, or of all for null, and says what is damaged. */
  public Verified verify(@Nullable QueueName name) throws IOException {
    try (Hold _ = gate.enter()) {
      return new Verification(queues, snapshots, chunks).verify(name);
    }
  }

  /** Whether a snapshot can be read as a whole; reads all of it. */
  public boolean isWhole(SnapshotId id) throws IOException {
    try (Hold _ = gate.enter()) {
      return new Verification(queues, snapshots, chunks).isWhole(id);
    }
  }

  /**
   * Mends what a verification found, where a second copy of it is at hand: chunks are made again
   * from trees that are unpacked on this host; a queue's file from its manifests. Damaged chunks
   * are set aside, so that the next capture of the same content stores them anew, and what nothing
   * names is deleted.
   *
   * @param copies where a snapshot may lie unpacked; looked for once for each that is damaged
   * @return what was done, in words
   */
  public List<String> repair(
      Verified found, Repair.Copies copies, Progress progress, BooleanSupplier cancelled)
      throws IOException {
    try (Hold _ = gate.enter()) {
      Repair repair = new Repair(queues, snapshots, chunks, archiver, keys);
      return repair.repair(found, copies, progress, cancelled);
    } finally {
      garbage.addAll();
      collect();
    }
  }

  private Optional<CaptureResult> resultOfEarlierCall(FrozenLayer layer) throws IOException {
    int keep = Math.clamp(layer.keep(), 1, QueueContent.KEEP_MAX);
    try (SnapshotQueue queue = queues.openOrCreate(layer.queue(), keep)) {
      Optional<JobDone> done = queue.done(layer.job());
      if (done.isEmpty()) {
        return Optional.empty();
      }
      queue.settle();
      SnapshotId id = done.get().id();
      Optional<Element> element = queue.content().element(id);
      if (element.isEmpty()) {
        return Optional.of(new CaptureResult.Superseded(id));
      }
      Snapshot snapshot = readOrNull(id);
      if (snapshot == null) {
        return Optional.empty(); // Damaged since; the tree is still there, so capture it again.
      }
      return Optional.of(
          done.get().changed()
              ? new CaptureResult.Stored(snapshot, List.of())
              : new CaptureResult.Unchanged(id, element.get().time()));
    }
  }

  private CaptureResult archive(
      FrozenLayer layer, EndAfterReading end, Progress progress, BooleanSupplier cancelled)
      throws IOException {
    boolean complete = false;
    try (Hold _ = gate.enter()) {
      Sealing asked = sealing(queues.look(layer.queue()).encrypted());
      // What snapshots hold of a layer that is frozen in part is in chunks that are not encrypted.
      Sealing sealing = layer.kind() == FrozenLayer.Kind.LISTED ? Sealing.NONE : asked;
      FrozenTree tree = new FrozenTree(layer.tree(), layer.kind(), listings.file(layer.job()));
      KnownGroups known = facts.known(layer.queue());
      Archived made = archiver.archive(tree, request(layer, sealing), known, progress, cancelled);
      Archive archive = made.archive();
      if (sealing != asked && asked.keyId() != null) {
        ChunkReader reader = new ChunkReader(chunks, keys);
        archive = new Resealing(chunks, reader, asked, progress, cancelled).reseal(archive);
        garbage.addAll();
      }
      chunks.force();
      Snapshots built = new Snapshots(layer, end.end(), archive, asked.keyId());
      requireAll(built.digests());
      CaptureResult result = commit(layer, built, made, sealing);
      complete = true;
      return result;
    } finally {
      if (!complete) {
        garbage.addAll(); // What was put already; on a full disk its room is needed.
      }
    }
  }

  private ArchiveRequest request(FrozenLayer layer) throws IOException {
    return request(layer, sealing(queues.look(layer.queue()).encrypted()));
  }

  private Sealing sealing(boolean encrypted) throws IOException {
    return encrypted ? Sealing.under(keys.active()) : Sealing.NONE;
  }

  private void requireAll(Set<Digest> digests) throws IOException {
    Set<Digest> missing = chunks.missing(digests);
    if (!missing.isEmpty()) {
      throw new IOException(
          missing.size()
              + " chunks did not reach the store, among them "
              + missing.iterator().next());
    }
  }

  private CaptureResult commit(FrozenLayer layer, Snapshots built, Archived made, Sealing sealing)
      throws IOException {
    List<SnapshotId> left;
    Snapshot snapshot;
    try (SnapshotQueue queue = queues.open(layer.queue())) {
      if (queue.content().encrypted() != (built.key() != null)) {
        throw new RegenException.Refused(
            "queue '" + layer.queue() + "' was told to encrypt or not to meanwhile; try again");
      }
      Optional<Element> tail = queue.tail();
      Snapshot before = tail.isPresent() ? readOrNull(tail.get().id()) : null;
      if (before != null && built.changesNothing(before)) {
        Element moved = queue.movedTail(layer.endedAt(), built.end());
        snapshots.write(built.instead(before, moved));
        if (!before.archive().equals(built.archive())) {
          garbage.add(built.digests());
        }
        queue.touchTail(layer.endedAt(), built.end(), layer.job());
        note(layer, moved.id(), before.archive(), made, sealing);
        return new CaptureResult.Unchanged(moved.id(), moved.time());
      }
      Instant time = queue.timeAfterTail(layer.endedAt());
      snapshot = built.as(SnapshotId.random(), time);
      snapshots.write(snapshot);
      Appended appended =
          queue.append(new Element(snapshot.id(), time, snapshot.end()), layer.job());
      left = appended.left();
    }
    note(layer, snapshot.id(), snapshot.archive(), made, sealing);
    forget(left);
    return new CaptureResult.Stored(snapshot, left);
  }

  private static ArchiveRequest request(FrozenLayer layer, Sealing sealing) {
    return new ArchiveRequest(
        layer.placeholders(), layer.excludes(), layer.uidMap(), layer.gidMap(), sealing);
  }

  /** Notes what is known of the tree of {@code layer}, which was kept as {@code archive}. */
  private void note(
      FrozenLayer layer, SnapshotId id, Archive archive, Archived made, Sealing sealing) {
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

  /** Removes manifests that no queue names any more. If that fails, the next sweep does it. */
  private void forget(Collection<SnapshotId> ids) {
    if (ids.isEmpty()) {
      return;
    }
    try {
      for (SnapshotId id : ids) {
        Snapshot snapshot = readOrNull(id);
        if (snapshot == null) {
          garbage.addAll();
        } else {
          garbage.add(digests(snapshot));
        }
      }
      snapshots.remove(ids);
    } catch (IOException e) {
      LOG.warn("snapshots that left their queue stay on the disk until the next sweep", e);
    }
  }

  /** Deletes garbage, unless chunks are in use: then the last user does it. */
  private void collect() {
    if (garbage.isEmpty()) {
      return;
    }
    try {
      Optional<Hold> alone = gate.tryCollect();
      if (alone.isEmpty()) {
        return;
      }
      try (Hold _ = alone.get()) {
        Garbage.Taken taken = garbage.take();
        Swept swept = taken.all() ? collector.sweep() : collector.collect(taken.digests());
        swept.kept().forEach(reason -> LOG.warn("not deleted: {}", reason));
      }
    } catch (IOException e) {
      LOG.warn("chunks that nobody needs stay on the disk until the next sweep", e);
    }
  }

  private static Set<Digest> digests(Snapshot snapshot) {
    return Collector.digests(snapshot).collect(Collectors.toCollection(HashSet::new));
  }

  private @Nullable Snapshot readOrNull(SnapshotId id) throws IOException {
    try {
      return snapshots.read(id);
    } catch (RegenException.Damaged | RegenException.NotFound e) {
      return null;
    }
  }

  private static RegenException full(FrozenLayer layer, DiskFullException cause) {
    RegenException.Refused full =
        new RegenException.Refused(
            "the disk is full: the end of queue '"
                + layer.queue()
                + "' is not archived yet. Nothing is lost, it waits in "
                + layer.tree()
                + "; make room, and it is done at the next try ("
                + cause.getMessage()
                + ")");
    full.initCause(cause);
    return full;
  }
}
