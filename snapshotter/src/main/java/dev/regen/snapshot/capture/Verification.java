package dev.regen.snapshot.capture;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.Why;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.ChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One reading of all that queues name; each chunk is read once. */
final class Verification {
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final ChunkStore chunks;

  private final List<Verified.Problem> problems = new ArrayList<>();
  private final Set<SnapshotId> named = new HashSet<>();

  /** What was read, and what is wrong with it: an empty text for nothing. */
  private final Map<Digest, String> read = new HashMap<>();

  private long manifests;
  private long bytes;

  Verification(SnapshotQueues queues, SnapshotStore snapshots, ChunkStore chunks) {
    this.queues = queues;
    this.snapshots = snapshots;
    this.chunks = chunks;
  }

  Verified verify(@Nullable QueueName name) throws IOException {
    for (QueueName queue : name == null ? queues.list() : List.of(name)) {
      verifyQueue(queue);
    }
    long unreferencedManifests = name == null ? countUnreferencedManifests() : 0;
    long unreferencedChunks = name == null ? countUnreferencedChunks() : 0;
    return new Verified(
        manifests, read.size(), bytes, problems, unreferencedManifests, unreferencedChunks);
  }

  private void verifyQueue(QueueName name) throws IOException {
    QueueContent queue;
    try {
      queue = queues.look(name);
    } catch (RegenException.NotFound e) {
      throw e;
    } catch (RegenException e) {
      report(Verified.Kind.QUEUE_DAMAGED, name, null, e);
      return;
    }
    for (Element element : queue.elements()) {
      named.add(element.id());
      verifySnapshot(name, element.id());
    }
  }

  private void verifySnapshot(QueueName queue, SnapshotId id) throws IOException {
    Snapshot snapshot;
    try {
      snapshot = snapshots.read(id);
    } catch (RegenException.NotFound e) {
      report(Verified.Kind.MANIFEST_MISSING, queue, id, e);
      return;
    } catch (RegenException e) {
      report(Verified.Kind.MANIFEST_DAMAGED, queue, id, e);
      return;
    }
    verifyManifest(queue, id, snapshot);
  }

  /** Whether everything of one snapshot can be read. */
  boolean isWhole(SnapshotId id) throws IOException {
    try {
      Snapshot snapshot = snapshots.read(id);
      verifyManifest(snapshot.queue(), id, snapshot);
      return problems.isEmpty();
    } catch (RegenException e) {
      return false;
    }
  }

  private void verifyManifest(QueueName queue, SnapshotId id, Snapshot snapshot) {
    manifests++;
    String locked = snapshot.locked();
    if (locked != null) {
      report(Verified.Kind.LOCKED, queue, id, new IOException(locked));
    }
    Set<Chunk> all = new LinkedHashSet<>(snapshot.archive().chunks());
    all.addAll(snapshot.archive().entryIndex());
    for (Chunk chunk : all) {
      String wrong = wrongWith(chunk);
      if (!wrong.isEmpty()) {
        report(Verified.Kind.CHUNK_DAMAGED, queue, id, chunk.digest(), wrong);
      }
    }
  }

  private String wrongWith(Chunk chunk) {
    String known = read.get(chunk.digest());
    if (known != null) {
      return known;
    }
    bytes += chunk.storedBytes();
    String wrong = "";
    try {
      int length = chunks.get(chunk.digest()).length;
      if (length != chunk.storedBytes()) {
        wrong = chunk.digest() + " has " + length + " bytes, not " + chunk.storedBytes();
      }
    } catch (IOException e) {
      wrong = Why.of(e);
    }
    read.put(chunk.digest(), wrong);
    return wrong;
  }

  private long countUnreferencedManifests() throws IOException {
    return snapshots.list().stream().filter(id -> !named.contains(id)).count();
  }

  private long countUnreferencedChunks() throws IOException {
    Set<Digest> unreferenced = new HashSet<>();
    chunks.list(unreferenced::add);
    for (SnapshotId id : snapshots.list()) {
      digestsIfReadable(id).forEach(unreferenced::remove);
    }
    return unreferenced.size();
  }

  private Set<Digest> digestsIfReadable(SnapshotId id) throws IOException {
    try {
      return Collector.digests(snapshots.read(id));
    } catch (RegenException e) {
      return Set.of();
    }
  }

  private void report(
      Verified.Kind kind, QueueName queue, @Nullable SnapshotId id, IOException problem) {
    report(kind, queue, id, null, Why.of(problem));
  }

  private void report(
      Verified.Kind kind,
      QueueName queue,
      @Nullable SnapshotId id,
      @Nullable Digest chunk,
      String message) {
    if (problems.size() < Verified.PROBLEMS_MAX) {
      problems.add(new Verified.Problem(kind, queue, id, chunk, message));
    }
  }
}
