package dev.regen.snapshot.transfer;

import dev.regen.runtime.QueueName;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.remote.ChunkName;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.store.ChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;

/**
 * Sends snapshots of this host to a store: what the store lacks of a snapshot's chunks, then the
 * record that says it is complete. Chunks go as they are stored, encrypted ones too, for which no
 * key is needed.
 *
 * <p>Interrupted anywhere and called again, it sends what is still missing. Nothing here is held
 * for it: a snapshot that is removed meanwhile, or leaves its full queue, ends the push of it.
 */
public final class Push {
  private static final int ROUNDS = 4;
  private static final long LOOK_NANOS = 1_000_000_000L;

  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final ChunkStore chunks;

  public Push(SnapshotQueues queues, SnapshotStore snapshots, ChunkStore chunks) {
    this.queues = queues;
    this.snapshots = snapshots;
    this.chunks = chunks;
  }

  /**
   * What a push did.
   *
   * @param there whether the snapshot was complete in the store before
   */
  public record Result(boolean there, Transferred transferred) {}

  /**
   * Sends one snapshot; it is complete in the store, each chunk and its record forced, once this
   * has returned.
   *
   * @throws RegenException.NotFound if the queue does not hold it
   * @throws RegenException.Refused if the store has no room or wants another token; or the snapshot
   *     left its queue meanwhile
   * @throws RegenException.Damaged if a chunk of it is damaged here
   * @throws CancellationException soon after the progress said so
   * @throws IOException if the store does not answer; as in all other cases what was sent stays,
   *     and is not sent again
   */
  public Result push(RemoteStore store, QueueName name, SnapshotId id, TransferProgress progress)
      throws IOException {
    RemoteQueue remote = new RemoteQueue(store, name);
    Set<Digest> sent = new HashSet<>();
    boolean announced = false;
    for (int round = 0; round < ROUNDS; round++) {
      QueueContent queue = queues.look(name);
      Element element = required(queue, id);
      byte[] bytes = snapshots.stored(id);
      Snapshot snapshot = snapshots.read(id);
      PackedManifest.Packed packed = PackedManifest.pack(bytes);
      StoredSnapshot stored =
          StoredSnapshot.of(snapshot, element, queue.asked(), packed.manifest());
      progress.step(round == 0 ? "asking what is missing" : "making sure that all of it is there");
      Map<Digest, Transferred.Placed> all = Transferred.places(snapshot);
      Set<Digest> missing = store.missing(all.keySet());
      if (missing.isEmpty() && isComplete(remote, stored)) {
        return new Result(sent.isEmpty(), Transferred.of(snapshot, sent));
      }
      putManifest(store, stored, packed);
      if (missing.isEmpty() && isUnchanged(name, element, bytes)) {
        remote.complete(stored);
        return new Result(false, Transferred.of(snapshot, sent));
      }
      if (!announced) {
        remote.begin(stored);
        announced = true;
      }
      try {
        send(store, snapshot, missing, progress);
      } catch (IOException | CancellationException e) {
        endIfGone(remote, name, id, e);
        throw e;
      }
      sent.addAll(missing);
    }
    throw new IOException(
        "the store still lacks chunks that it took "
            + ROUNDS
            + " times, or the snapshot changes all the time; push it again");
  }

  private boolean isComplete(RemoteQueue remote, StoredSnapshot stored) throws IOException {
    Optional<StoredSnapshot> there = remote.find(stored.id());
    return there.isPresent() && Arrays.equals(there.get().bytes(), stored.bytes());
  }

  /** Whether what was sent is what the snapshot is now. */
  private boolean isUnchanged(QueueName name, Element element, byte[] manifest) throws IOException {
    Element now = required(queues.look(name), element.id());
    return now.equals(element) && Arrays.equals(manifest, snapshots.stored(element.id()));
  }

  private static void putManifest(
      RemoteStore store, StoredSnapshot stored, PackedManifest.Packed packed) throws IOException {
    Set<Digest> missing = store.missing(stored.manifestChunks());
    for (int i = 0; i < packed.parts().size(); i++) {
      byte[] part = packed.parts().get(i);
      Digest digest = packed.manifest().parts().get(i).digest();
      if (missing.contains(digest)) {
        store.put(name(stored.queue(), stored.id(), i, digest, part.length), ByteBuffer.wrap(part));
      }
    }
  }

  private void send(
      RemoteStore store, Snapshot snapshot, Set<Digest> missing, TransferProgress progress)
      throws IOException {
    List<Transferred.Placed> items =
        Transferred.places(snapshot).values().stream()
            .filter(placed -> missing.contains(placed.chunk().digest()))
            .toList();
    progress.step("sending");
    progress.expected(
        items.size(), items.stream().mapToLong(placed -> placed.chunk().storedBytes()).sum());
    Crew crew = new Crew(watching(progress, snapshot));
    crew.run(items, placed -> send(crew, store, snapshot, placed));
  }

  private void send(Crew crew, RemoteStore store, Snapshot snapshot, Transferred.Placed placed)
      throws IOException {
    Digest digest = placed.chunk().digest();
    byte[] bytes = chunks.get(digest);
    if (bytes.length != placed.chunk().storedBytes()) {
      throw new RegenException.Damaged(
          digest + " has " + bytes.length + " bytes, not " + placed.chunk().storedBytes());
    }
    ChunkName name = name(snapshot.queue(), snapshot.id(), placed.index(), digest, bytes.length);
    crew.remotely(() -> {
      store.put(name, ByteBuffer.wrap(bytes));
      return name;
    });
  }

  /** As {@code progress}, and looks now and then whether the snapshot is still wanted here. */
  private TransferProgress watching(TransferProgress progress, Snapshot snapshot) {
    return new TransferProgress() {
      private long lookedAt = System.nanoTime();

      @Override
      public void done(long chunksDone, long bytesDone) {
        progress.done(chunksDone, bytesDone);
      }

      @Override
      public boolean cancelled() {
        if (System.nanoTime() - lookedAt > LOOK_NANOS) {
          lookedAt = System.nanoTime();
          if (isGone(snapshot.queue(), snapshot.id())) {
            throw new CancellationException(gone(snapshot.queue(), snapshot.id()));
          }
        }
        return progress.cancelled();
      }
    };
  }

  /** A snapshot that is gone here is not announced any more, and is why a chunk was missing. */
  private void endIfGone(RemoteQueue remote, QueueName name, SnapshotId id, Exception failure)
      throws IOException {
    if (!isGone(name, id)) {
      return;
    }
    RegenException.Refused refused = new RegenException.Refused(gone(name, id));
    refused.initCause(failure);
    try {
      remote.end(id);
    } catch (IOException e) {
      refused.addSuppressed(e);
    }
    throw refused;
  }

  private boolean isGone(QueueName name, SnapshotId id) {
    try {
      return !queues.exists(name) || queues.look(name).element(id).isEmpty();
    } catch (IOException e) {
      return false;
    }
  }

  private static Element required(QueueContent queue, SnapshotId id) throws RegenException {
    return queue
        .element(id)
        .orElseThrow(
            () -> new RegenException.NotFound("queue " + queue.name() + " has no snapshot " + id));
  }

  private static String gone(QueueName name, SnapshotId id) {
    return "snapshot "
        + id.shortened()
        + " left queue "
        + name
        + " while it was being pushed; the push was ended";
  }

  private static ChunkName name(
      QueueName queue, SnapshotId id, int index, Digest digest, int sizeBytes) {
    return new ChunkName(
        queue.value(), id.value(), Math.min(index, Archive.CHUNKS_MAX - 1), digest, sizeBytes);
  }
}
