package dev.regen.snapshot.facts;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.os.BootId;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Facts files, {@code ID.facts} beside the manifests. All of it may be lost at any time: what has
 * no facts is read. So nothing is forced, nothing fails, and what is damaged counts as not there;
 * each file bears its own checksum. Goes with its manifest.
 */
public final class FactsStore {
  private static final Logger LOG = LoggerFactory.getLogger(FactsStore.class);

  private final Disk disk;
  private final SnapshotStore snapshots;

  public FactsStore(Disk disk, SnapshotStore snapshots) {
    this.disk = disk;
    this.snapshots = snapshots;
  }

  /**
   * The facts of one snapshot.
   *
   * @param archive as {@link #digest} has it
   */
  public record Noted(Digest archive, List<List<GroupFact>> sets) {}

  /** Tells one archive from another. */
  public static Digest digest(Archive archive) {
    return ArchiveFacts.digest(archive);
  }

  /** Notes the facts of one more tree of a snapshot. */
  public void add(SnapshotId id, Archive archive, List<GroupFact> facts) {
    if (facts.isEmpty()) {
      return;
    }
    Path file = snapshots.factsFile(id);
    try {
      ArchiveFacts none = new ArchiveFacts(BootId.read(), ArchiveFacts.digest(archive), List.of());
      ArchiveFacts now = read(file).filter(old -> isOf(none, old)).orElse(none).with(facts);
      if (now.bytes() > ArchiveFacts.BYTES_MAX) {
        now = none.with(facts);
      }
      if (now.bytes() <= ArchiveFacts.BYTES_MAX) {
        write(file, now.encoded());
      }
    } catch (IOException e) {
      LOG.warn("the next capture reads what this one has read: {}", e.getMessage());
    }
  }

  private static boolean isOf(ArchiveFacts none, ArchiveFacts old) {
    return old.boot().equals(none.boot()) && old.archive().equals(none.archive());
  }

  private void write(Path file, byte[] content) throws IOException {
    Path unfinished = file.resolveSibling(Records.UNFINISHED + UUID.randomUUID());
    try {
      disk.create(unfinished, ByteBuffer.wrap(content));
      disk.rename(unfinished, file);
    } catch (IOException e) {
      disk.delete(unfinished);
      throw e;
    }
  }

  /** What is noted of a snapshot since the host was started; empty if nothing. */
  public Optional<Noted> of(SnapshotId id) {
    try {
      String boot = BootId.read();
      return read(snapshots.factsFile(id))
          .filter(facts -> facts.boot().equals(boot))
          .map(facts -> new Noted(facts.archive(), facts.sets()));
    } catch (IOException e) {
      LOG.debug("no facts", e);
      return Optional.empty();
    }
  }

  private Optional<ArchiveFacts> read(Path file) {
    try {
      return Optional.of(ArchiveFacts.decoded(disk.read(file, ArchiveFacts.BYTES_MAX)));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException | IllegalArgumentException e) {
      LOG.info("{} is passed over: {}", file, e.getMessage());
      return Optional.empty();
    }
  }
}
