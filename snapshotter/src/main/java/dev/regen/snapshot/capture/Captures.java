package dev.regen.snapshot.capture;

import dev.regen.runtime.Why;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.DiskFullException;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.End;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.chunk.Sealing;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.facts.FactsStore;
import dev.regen.snapshot.layer.ArchiveRequest;
import dev.regen.snapshot.layer.Archived;
import dev.regen.snapshot.layer.KnownGroups;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.JobDone;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.queue.SnapshotQueue;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.ChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Takes frozen layers into their queues. What else changes one home's snapshots keeps clear of
 * that, and is handed out here: {@link #files}, {@link #removals}, {@link #sealing}, {@link
 * #checks}, {@link #arrivals}.
 *
 * <p>A capture is archive → force → manifest → queue → only then, delete what the queue gave up.
 * After a crash or an exception anywhere in between, the snapshot is whole in its queue or absent,
 * what was there before is still there, and the same call may be made again: a capture that was
 * complete is recognised by its job's name. Captures never touch the frozen tree.
 *
 * <p>Safe for use by several threads at once, for different jobs.
 */
public final class Captures {
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final ChunkStore chunks;
  private final Archiver archiver;
  private final Keys keys;
  private final CollectionGate gate;
  private final CapturedFiles files;
  private final UnpackedTrees unpacked;
  private final Removals removals;
  private final SnapshotSealing resealing;
  private final Checks checks;
  private final Arrivals arrivals;
  private volatile Consumer<CaptureResult> watcher = _ -> {};

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
    this.queues = queues;
    this.snapshots = snapshots;
    this.chunks = chunks;
    this.archiver = archiver;
    this.keys = keys;
    gate = new CollectionGate(disk, home.resolve("collect.lock"));
    Listings listings = new Listings(disk, home.resolve("listings"));
    Arriving arriving = new Arriving(disk, home.resolve("arriving"), keys);
    Collector.Promised promised =
        () -> {
          Set<Digest> digests = new HashSet<>(listings.chunks());
          digests.addAll(arriving.chunks());
          return digests;
        };
    Collector collector = new Collector(queues, snapshots, chunks, promised);
    removals = new Removals(gate, queues, snapshots, collector);
    arrivals = new Arrivals(gate, removals, queues, snapshots, chunks, arriving);
    FactsStore noted = new FactsStore(disk, snapshots);
    QueueFacts facts = new QueueFacts(queues, snapshots, chunks, keys, noted);
    unpacked = new UnpackedTrees(gate, facts, chunks, keys);
    files = new CapturedFiles(disk, gate, queues, snapshots, keys, facts, listings);
    resealing = new SnapshotSealing(gate, removals, queues, snapshots, chunks, keys);
    checks = new Checks(gate, removals, queues, snapshots, chunks, archiver, keys);
  }

  /** What is known of the files that snapshots were made of. */
  public CapturedFiles files() {
    return files;
  }

  /** What learns of trees that snapshots were unpacked to. */
  public UnpackedTrees unpacked() {
    return unpacked;
  }

  /** What takes snapshots out of their queues and deletes. */
  public Removals removals() {
    return removals;
  }

  /** What encrypts and decrypts snapshots. */
  public SnapshotSealing sealing() {
    return resealing;
  }

  /** What verifies and repairs. */
  public Checks checks() {
    return checks;
  }

  /** What takes in snapshots of other hosts. */
  public Arrivals arrivals() {
    return arrivals;
  }

  /** Keeps collection away while chunks of snapshots are read that may leave their queue. */
  public Hold reading() throws IOException {
    return gate.enter();
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
    try {
      return capture(layer, () -> end, progress, cancelled);
    } finally {
      removals.collect();
    }
  }

  /** Tells {@code told}, which waits for nothing, of each capture from now on. */
  public void watch(Consumer<CaptureResult> told) {
    watcher = told;
  }

  /** How a run ended, as is known once its layer has been read. */
  @FunctionalInterface
  public interface EndAfterReading {
    /** Asked once, after the last byte was read and before anything of the snapshot is recorded. */
    End end() throws IOException;
  }

  /**
   * As above, where the end may be known only later. What left the queue for the snapshot is still
   * to be deleted, by {@link Removals#collect}: nobody who waits for the snapshot waits for that.
   */
  public CaptureResult capture(
      FrozenLayer layer, EndAfterReading end, Progress progress, BooleanSupplier cancelled)
      throws IOException {
    try {
      Optional<CaptureResult> before = resultOfEarlierCall(layer);
      if (before.isPresent()) {
        return before.get();
      }
      CaptureResult result = archive(layer, end, progress, cancelled);
      watcher.accept(result);
      return result;
    } catch (IOException e) {
      removals.collect(); // On a full disk its room is needed.
      throw DiskFullException.behind(e).<IOException>map(full -> full(layer, full)).orElse(e);
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

  private Optional<CaptureResult> resultOfEarlierCall(FrozenLayer layer) throws IOException {
    int keep = Math.clamp(layer.facts().keep(), 1, QueueContent.KEEP_MAX);
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
      Optional<Snapshot> snapshot = snapshots.readIfWhole(id);
      if (snapshot.isEmpty()) {
        return Optional.empty(); // Damaged since; the tree is still there, so capture it again.
      }
      return Optional.of(
          done.get().changed()
              ? new CaptureResult.Stored(snapshot.get(), List.of())
              : new CaptureResult.Unchanged(id, element.get().time()));
    }
  }

  private CaptureResult archive(
      FrozenLayer layer, EndAfterReading end, Progress progress, BooleanSupplier cancelled)
      throws IOException {
    boolean complete = false;
    try (Hold _ = gate.enter()) {
      Sealing asked = Sealing.of(queues.look(layer.queue()).encrypted(), keys);
      // What snapshots hold of a layer that is frozen in part is in chunks that are not encrypted.
      Sealing sealing = layer.kind() == FrozenLayer.Kind.LISTED ? Sealing.NONE : asked;
      ArchiveRequest request = ArchiveRequest.of(layer, sealing);
      KnownGroups known = files.known(layer.queue());
      Archived made = archiver.archive(files.tree(layer), request, known, progress, cancelled);
      Archive archive = made.archive();
      if (sealing != asked && asked.keyId() != null) {
        archive = resealing.resealed(archive, asked, progress, cancelled);
        removals.mayBeGarbage();
      }
      chunks.force();
      Snapshots built = new Snapshots(layer, end.end(), archive, asked.keyId());
      chunks.requireAll(built.digests());
      CaptureResult result = commit(built, made, sealing);
      complete = true;
      return result;
    } finally {
      if (!complete) {
        removals.mayBeGarbage(); // What was put already; on a full disk its room is needed.
      }
    }
  }

  private CaptureResult commit(Snapshots built, Archived made, Sealing sealing) throws IOException {
    FrozenLayer layer = built.layer();
    List<SnapshotId> left;
    Snapshot snapshot;
    try (SnapshotQueue queue = queues.open(layer.queue())) {
      if (queue.content().encrypted() != (built.key() != null)) {
        throw new RegenException.Refused(
            "queue '" + layer.queue() + "' was told to encrypt or not to meanwhile; try again");
      }
      Optional<Snapshot> tail = tail(queue);
      if (tail.isPresent() && built.changesNothing(tail.get())) {
        return moveTail(queue, tail.get(), built, made, sealing);
      }
      Instant time = queue.timeAfterTail(layer.endedAt());
      snapshot = built.as(SnapshotId.random(), time);
      snapshots.write(snapshot);
      Element element = new Element(snapshot.id(), time, snapshot.end());
      left = queue.append(element, layer.job()).left();
    }
    files.note(layer, snapshot.id(), snapshot.archive(), made, sealing);
    removals.forget(left);
    return new CaptureResult.Stored(snapshot, left);
  }

  private Optional<Snapshot> tail(SnapshotQueue queue) throws IOException {
    Optional<Element> tail = queue.tail();
    return tail.isEmpty() ? Optional.empty() : snapshots.readIfWhole(tail.get().id());
  }

  /** An end that changed nothing: the tail stands for it too. */
  private CaptureResult moveTail(
      SnapshotQueue queue, Snapshot tail, Snapshots built, Archived made, Sealing sealing)
      throws IOException {
    FrozenLayer layer = built.layer();
    Element moved = queue.movedTail(layer.endedAt(), built.end());
    snapshots.write(built.instead(tail, moved));
    if (!tail.archive().equals(built.archive())) {
      removals.mayBeGarbage(built.digests());
    }
    queue.touchTail(layer.endedAt(), built.end(), layer.job());
    files.note(layer, moved.id(), tail.archive(), made, sealing);
    return new CaptureResult.Unchanged(moved.id(), moved.time());
  }

  private static RegenException full(FrozenLayer layer, DiskFullException cause) {
    RegenException.Refused full =
        new RegenException.Refused(
            "the disk is full: the end of queue '"
                + layer.queue()
                + "' is not archived yet. Nothing is lost, it waits in "
                + layer.tree()
                + "; make room, and it is done at the next try ("
                + Why.of(cause)
                + ")");
    full.initCause(cause);
    return full;
  }
}
