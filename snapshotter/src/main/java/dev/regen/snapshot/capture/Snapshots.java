package dev.regen.snapshot.capture;

import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.End;
import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.store.SnapshotStore;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The snapshots that can be made of one frozen layer and its archive. */
record Snapshots(FrozenLayer layer, End end, Archive archive, @Nullable KeyId key) {
  Snapshot as(SnapshotId id, Instant time) {
    return made(id, time, end, archive);
  }

  /** Whether the queue's tail holds this already: the same layer on the same image. */
  boolean changesNothing(Snapshot tail) {
    return tail.archive().sameLayer(archive) && tail.imageId().equals(layer.facts().imageId());
  }

  /** {@code tail} as of this run: the archive stays, all else is of the newer run. */
  Snapshot instead(Snapshot tail, Element moved) {
    return made(tail.id(), moved.time(), moved.end(), tail.archive());
  }

  Set<Digest> digests() {
    return Collector.digests(as(SnapshotId.random(), layer.endedAt()));
  }

  private Snapshot made(SnapshotId id, Instant time, End ended, Archive of) {
    return new Snapshot(
        id,
        layer.queue(),
        time,
        ended,
        layer.container().value(),
        clipped(layer.facts().imageId()),
        clipped(layer.facts().imageName()),
        withClippedTexts(of),
        layer.facts().notHeld().stream()
            .limit(SnapshotStore.NOT_HELD_MAX)
            .map(Snapshots::clipped)
            .toList(),
        layer.facts().spec(),
        key,
        null);
  }

  private static Archive withClippedTexts(Archive archive) {
    List<String> omitted =
        archive.omitted().stream().limit(Archive.OMITTED_MAX).map(Snapshots::clipped).toList();
    return new Archive(
        archive.chunks(),
        archive.entryIndex(),
        archive.entries(),
        archive.tarBytes(),
        archive.storedBytes(),
        archive.newBytes(),
        omitted,
        archive.omittedCount());
  }

  /** A long text must not be why somebody's work is not kept. */
  private static String clipped(String text) {
    return text.length() <= SnapshotStore.TEXT_CHARACTERS_MAX
        ? text
        : text.substring(0, SnapshotStore.TEXT_CHARACTERS_MAX);
  }
}
