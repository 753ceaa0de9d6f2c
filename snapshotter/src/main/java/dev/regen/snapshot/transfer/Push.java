package dev.regen.snapshot.transfer;

import dev.regen.runtime.QueueName;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.remote.ChunkName;
import dev.regen.snapshot.remote.Load;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.store.ChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
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
  private static final int ROUNDS = 6;
  private static final long LOOK_NANOS = 1_000_000_000L;

  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final ChunkStore chunks;
  private final InstantSource clock;

  public Push(SnapshotQueues queues, SnapshotStore snapshots, ChunkStore chunks) {
    this(queues, snapshots, chunks, InstantSource.system());
  }

  Push(SnapshotQueues queues, SnapshotStore snapshots, ChunkStore chunks, InstantSource clock) {
    this.clock = clock;
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
    return push(store, name, id, chunks::get, 1, progress);
  }

  /**
   * As above, one of several pushes of that snapshot at the same time.
   *
   * @param source reads this host's chunks
   * @param pushes how many they are: each takes its share of what one may have in memory
   */
  public Result push(
      RemoteStore store,
      QueueName name,
      SnapshotId id,
      ChunkReader.Source source,
      int pushes,
      TransferProgress progress)
      throws IOException {
    required(queues.look(name), id);
    try {
      return pushed(store, name, id, new Sending(source, pushes, progress));
    } catch (IOException | CancellationException e) {
      endIfGone(store, name, id, e);
      throw e;
    }
  }

  /** How chunks are sent. */
  private record Sending(ChunkReader.Source source, int pushes, TransferProgress progress) {}

  private Result pushed(RemoteStore store, QueueName name, SnapshotId id, Sending sending)
      throws IOException {
    RemoteQueue remote = new RemoteQueue(store, name);
    LostChunks lostChunks = new LostChunks(store, name, id);
    Set<Digest> sent = new HashSet<>();
    PackedManifest announced = null; // What followers were told of.
    for (int round = 0; round < ROUNDS; round++) {
      QueueContent queue = queues.look(name);
      Element element = required(queue, id);
      byte[] bytes = snapshots.stored(id);
      Snapshot snapshot = snapshots.read(id);
      PackedManifest.Packed packed = PackedManifest.pack(bytes);
      StoredSnapshot stored =
          StoredSnapshot.of(snapshot, element, queue.asked(), packed.manifest());
      sending.progress.step(
          round == 0 ? "asking what is missing" : "making sure that all of it is there");
      LostChunks.Told told = lostChunks.told(stored.manifest());
      Set<Digest> missing = store.missing(Transferred.places(snapshot).keySet());
      Set<Digest> wanted = withLost(missing, told, snapshot);
      if (wanted.isEmpty() && isComplete(remote, stored)) {
        lostChunks.forget(told.records());
        remote.end(id);
        return new Result(sent.isEmpty(), Transferred.of(snapshot, sent));
      }
      putManifest(store, stored, packed);
      if (wanted.isEmpty() && isUnchanged(name, element, bytes)) {
        remote.complete(stored);
        lostChunks.forget(told.records());
        return new Result(false, Transferred.of(snapshot, sent));
      }
      if (!stored.manifest().equals(announced)) {
        remote.begin(stored, clock.instant());
        announced = stored.manifest();
      }
      send(store, snapshot, wanted, sending, new Renewal(remote, stored, clock));
      lostChunks.forget(told.records());
      sent.addAll(wanted);
    }
    throw new IOException(
        "the store still lacks chunks that it took "
            + ROUNDS
            + " times, or the snapshot changes all the time; push it again");
  }

  /** What the store lacks, and what others did not get from it though it says that it is there. */
  private static Set<Digest> withLost(
      Set<Digest> missing, LostChunks.Told told, Snapshot snapshot) {
    if (told.indices().isEmpty()) {
      return missing;
    }
    List<Chunk> all = new ArrayList<>(snapshot.archive().chunks());
    all.addAll(snapshot.archive().entryIndex());
    Set<Digest> wanted = new HashSet<>(missing);
    for (int index : told.indices().headSet(all.size())) {
      wanted.add(all.get(index).digest());
    }
    return wanted;
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
      RemoteStore store, Snapshot snapshot, Set<Digest> missing, Sending sending, Renewal renewal)
      throws IOException {
    List<Transferred.Placed> items =
        Transferred.inOrder(snapshot).stream()
            .filter(placed -> missing.contains(placed.chunk().digest()))
            .toList();
    sending.progress.step("sending");
    sending.progress.expected(
        items.size(), items.stream().mapToLong(placed -> placed.chunk().storedBytes()).sum());
    Crew crew = new Crew(store, Load.Way.PUT, sending.pushes, watching(sending.progress, snapshot));
    crew.run(
        items,
        placed -> {
          ChunkName name =
              name(
                  snapshot.queue(),
                  snapshot.id(),
                  placed.index(),
                  placed.chunk().digest(),
                  placed.chunk().storedBytes());
          Crew.Call<ChunkName> put = put(store, name, () -> bytes(sending.source, placed));
          crew.remotely(() -> {
            put.run();
            renewal.renewIfDue();
            return name;
          });
        });
  }

  /** Where the call itself would have to read, it is read before: a call may be interrupted. */
  private static Crew.Call<ChunkName> put(RemoteStore store, ChunkName name, RemoteStore.Late late)
      throws IOException {
    if (store.readsLate()) {
      return () -> {
        store.put(name, late);
        return name;
      };
    }
    byte[] bytes = late.read();
    return () -> {
      store.put(name, ByteBuffer.wrap(bytes));
      return name;
    };
  }

  private static byte[] bytes(ChunkReader.Source source, Transferred.Placed placed)
      throws IOException {
    Digest digest = placed.chunk().digest();
    byte[] bytes = source.get(digest);
    if (bytes.length != placed.chunk().storedBytes()) {
      throw new RegenException.Damaged(
          digest + " has " + bytes.length + " bytes, not " + placed.chunk().storedBytes());
    }
    return bytes;
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
      public void served(List<Load.Served> servers) {
        progress.served(servers);
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
  private void endIfGone(RemoteStore store, QueueName name, SnapshotId id, Exception failure)
      throws IOException {
    if (!isGone(name, id)) {
      return;
    }
    RegenException.Refused refused = new RegenException.Refused(gone(name, id));
    refused.initCause(failure);
    try {
      new RemoteQueue(store, name).end(id);
      new LostChunks(store, name, id).forgetAll();
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
