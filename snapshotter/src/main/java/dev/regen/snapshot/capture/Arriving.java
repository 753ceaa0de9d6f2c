package dev.regen.snapshot.capture;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The manifests of snapshots whose chunks are being fetched, {@code arriving/ID.json}: what they
 * name is not collected, so that who fetches again after a crash has the rest alone to fetch.
 */
final class Arriving {
  private static final Logger LOG = LoggerFactory.getLogger(Arriving.class);

  private final Disk disk;
  private final Path directory;
  private final Keys keys;
  private @Nullable SnapshotStore opened;

  Arriving(Disk disk, Path directory, Keys keys) {
    this.disk = disk;
    this.directory = directory;
    this.keys = keys;
  }

  Snapshot begin(SnapshotId id, byte[] manifest) throws IOException {
    return manifests().writeStored(id, manifest);
  }

  byte[] manifest(SnapshotId id) throws IOException {
    return manifests().stored(id);
  }

  void remove(SnapshotId id) throws IOException {
    manifests().remove(id);
  }

  /** Those that were begun before {@code time}. */
  List<SnapshotId> before(Instant time) throws IOException {
    List<SnapshotId> old = new ArrayList<>();
    for (SnapshotId id : ids()) {
      Stat file = Fd.statIfThere(manifests().file(id));
      if (file != null && Instant.ofEpochSecond(file.mtime().seconds()).isBefore(time)) {
        old.add(id);
      }
    }
    return old;
  }

  /** The chunks that they name. */
  Set<Digest> chunks() throws IOException {
    Set<Digest> chunks = new HashSet<>();
    for (Snapshot snapshot : all()) {
      chunks.addAll(Collector.digests(snapshot));
    }
    return chunks;
  }

  /** All of them; one that cannot be read is removed, and is fetched as a whole. */
  List<Snapshot> all() throws IOException {
    List<Snapshot> all = new ArrayList<>();
    for (SnapshotId id : ids()) {
      try {
        all.add(manifests().read(id));
      } catch (RegenException.Damaged e) {
        LOG.warn("what was fetched of snapshot {} is given up: {}", id, e.getMessage());
        remove(id);
      } catch (RegenException.NotFound e) {
        LOG.debug("snapshot {} has just arrived", id);
      }
    }
    return all;
  }

  private List<SnapshotId> ids() throws IOException {
    return disk.list(directory).isEmpty() ? List.of() : manifests().list();
  }

  /** Most hosts never fetch anything. */
  private synchronized SnapshotStore manifests() throws IOException {
    if (opened == null) {
      opened = new SnapshotStore(disk, directory, keys);
    }
    return opened;
  }
}
