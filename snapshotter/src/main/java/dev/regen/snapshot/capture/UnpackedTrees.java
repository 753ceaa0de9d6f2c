package dev.regen.snapshot.capture;

import dev.regen.runtime.oci.FrozenLayer.IdRange;
import dev.regen.runtime.os.Fd;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.chunk.Sealing;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.facts.GroupFact;
import dev.regen.snapshot.layer.ArchiveRequest;
import dev.regen.snapshot.layer.UnpackedFacts;
import dev.regen.snapshot.store.ChunkStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Learns which files a restore has made of which snapshot, so that the capture after it reads only
 * what has changed since. It looks while the run goes on, after the start that waits for the tree.
 */
public final class UnpackedTrees implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(UnpackedTrees.class);

  /** So that what the unpacking changed is older than a tick, when somebody else changes it. */
  private static final Duration SETTLED = Duration.ofMillis(25);

  /** Each holds a directory open; more than so many starts at once learn nothing. */
  private static final int WAITING_MAX = 64;

  private static final int IDLE_SECONDS = 10;

  private final CollectionGate gate;
  private final QueueFacts facts;
  private final ChunkReader reader;
  private final Keys keys;
  private final InstantSource clock = InstantSource.system();
  private final ThreadPoolExecutor one =
      new ThreadPoolExecutor(
          1,
          1,
          IDLE_SECONDS,
          TimeUnit.SECONDS,
          new ArrayBlockingQueue<>(WAITING_MAX),
          Thread.ofPlatform().name("unpacked").daemon().factory());

  private volatile boolean closed;

  UnpackedTrees(CollectionGate gate, QueueFacts facts, ChunkStore chunks, Keys keys) {
    this.gate = gate;
    this.facts = facts;
    this.reader = new ChunkReader(chunks, keys);
    this.keys = keys;
    one.allowCoreThreadTimeOut(true);
  }

  /**
   * Looks at {@code tree}, soon; returns when somebody may begin to change it. Nothing fails if
   * this cannot be done.
   *
   * @param tree whole, nobody else's yet; may be renamed from now on
   * @param archive what it was unpacked from
   */
  public void note(
      Path tree, Snapshot snapshot, Archive archive, List<IdRange> uidMap, List<IdRange> gidMap) {
    try {
      Fd root = Fd.directory(tree);
      try {
        Thread.sleep(SETTLED);
        Instant unpackedAt = clock.instant().minusMillis(SETTLED.toMillis() / 2);
        one.execute(() -> note(root, snapshot, archive, uidMap, gidMap, unpackedAt));
      } catch (RejectedExecutionException e) {
        root.close();
      } catch (InterruptedException e) {
        root.close();
        Thread.currentThread().interrupt();
      }
    } catch (IOException e) {
      LOG.info("the next capture reads all of {}: {}", tree, e.getMessage());
    }
  }

  /** Ends the look that goes on, soon, and takes none of those that wait. */
  @Override
  public void close() {
    closed = true;
    one.close();
  }

  private void note(
      Fd opened,
      Snapshot snapshot,
      Archive archive,
      List<IdRange> uidMap,
      List<IdRange> gidMap,
      Instant unpackedAt) {
    try (Fd root = opened) {
      Optional<Hold> hold = closed ? Optional.empty() : gate.tryEnter();
      if (hold.isEmpty()) {
        return;
      }
      try (Hold _ = hold.get()) {
        KeyId key = snapshot.key();
        Sealing sealing = key == null ? Sealing.NONE : Sealing.under(keys.key(key));
        ArchiveRequest request = new ArchiveRequest(List.of(), List.of(), uidMap, gidMap, sealing);
        List<GroupFact> known =
            UnpackedFacts.of(root, archive, reader, request, unpackedAt, clock, () -> closed);
        facts.note(snapshot.id(), archive, known);
      }
    } catch (CancellationException e) {
      LOG.debug("nothing is noted of {} any more", snapshot.id());
    } catch (IOException e) {
      // The run may have changed the tree, or ended, while it was looked at.
      LOG.info(
          "the next capture after {} reads all of it: {}",
          snapshot.id().shortened(),
          e.getMessage());
    }
  }
}
