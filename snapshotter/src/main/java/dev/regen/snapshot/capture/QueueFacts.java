package dev.regen.snapshot.capture;

import dev.regen.runtime.QueueName;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.facts.FactsStore;
import dev.regen.snapshot.facts.GroupFact;
import dev.regen.snapshot.layer.KnownGroups;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.store.ChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the snapshots of a queue know of files that may still be the same. */
final class QueueFacts {
  private final SnapshotQueues queues;
  private final SnapshotStore snapshots;
  private final ChunkStore chunks;
  private final Keys keys;
  private final FactsStore facts;

  QueueFacts(
      SnapshotQueues queues,
      SnapshotStore snapshots,
      ChunkStore chunks,
      Keys keys,
      FactsStore facts) {
    this.queues = queues;
    this.snapshots = snapshots;
    this.chunks = chunks;
    this.keys = keys;
    this.facts = facts;
  }

  /** The groups of all snapshots of a queue, the newest before the others. */
  KnownGroups known(QueueName queue) throws IOException {
    KnownGroups known = new KnownGroups(chunks, new ChunkReader(chunks, keys));
    for (Element element : queues.look(queue).elements().reversed()) {
      Optional<FactsStore.Noted> noted = facts.of(element.id());
      if (noted.isPresent()) {
        for (List<GroupFact> set : noted.get().sets()) {
          known.add(() -> archive(element.id(), noted.get()), set);
        }
      }
    }
    return known;
  }

  private @Nullable Archive archive(SnapshotId id, FactsStore.Noted noted) throws IOException {
    Archive archive = snapshots.read(id).archive();
    return FactsStore.digest(archive).equals(noted.archive()) ? archive : null;
  }

  /** Notes what is known of one more tree of a snapshot. */
  void note(SnapshotId id, Archive archive, List<GroupFact> noted) {
    facts.add(id, archive, noted);
  }
}
