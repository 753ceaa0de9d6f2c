package dev.regen.snapshot.transfer;

import dev.regen.runtime.QueueName;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names the chunks that the snapshots of a store's queues are made of, those of snapshots on their
 * way included.
 */
public final class StoredChunks {
  /** For so long what was sent of a snapshot is kept after its push was given up. */
  public static final Duration UPLOAD_LEASE = Duration.ofDays(1);

  private static final Pattern MISSING = Pattern.compile("missing/[0-9a-f]{32}/[0-9a-f]{16}");

  private final RemoteStore store;

  /** Records that were read; those that say a snapshot is complete never change. */
  private final Set<String> known = new HashSet<>();

  /**
   * A snapshot on its way.
   *
   * @param record its name
   * @param tag tells whether it was renewed
   * @param renewedAt by the clock of the host that pushes
   */
  public record Upload(String record, String tag, Instant renewedAt) {}

  public StoredChunks(RemoteStore store) {
    this.store = store;
  }

  /**
   * Names the chunks of everything that was not named before.
   *
   * @param records the names of the store's records that begin with {@code queues/}
   * @param givenUp whether an upload is not to be counted
   * @throws RegenException.Damaged if of a complete snapshot nobody can say what it is made of
   * @throws RegenException.Refused if a record is of a newer Regen
   */
  public void look(List<String> records, Predicate<Upload> givenUp, Consumer<Digest> each)
      throws IOException {
    String newer = "";
    // The highest revision of each comes first.
    for (String record : records.reversed()) {
      String[] parts = record.split("/", 3);
      String rest = parts.length == 3 && QueueName.isValid(parts[1]) ? parts[2] : "";
      Matcher complete = RemoteQueue.COMPLETE.matcher(rest);
      Matcher upload = RemoteQueue.UPLOAD.matcher(rest);
      if (complete.matches()) {
        String snapshot = record.substring(0, record.lastIndexOf('/'));
        complete(record, new QueueName(parts[1]), id(complete), snapshot.equals(newer), each);
        newer = snapshot;
      } else if (upload.matches()) {
        upload(record, new QueueName(parts[1]), id(upload), givenUp, each);
      } else if (!MISSING.matcher(rest).matches()) {
        throw unknown(record);
      }
    }
  }

  /** Every chunk that a complete snapshot is made of; of one whose manifest is lost those of it. */
  public static List<Digest> of(RemoteStore store, StoredSnapshot stored) throws IOException {
    List<Digest> all = new ArrayList<>(stored.manifestChunks());
    try {
      name(store, stored, all::add);
    } catch (RegenException.NotFound | RegenException.Damaged e) {
      // What else it is made of nobody knows.
    }
    return all;
  }

  public static RegenException.Refused unknown(String record) {
    return new RegenException.Refused(
        "the store has a record '"
            + record
            + "' of a kind that this Regen does not know: what it needs could be deleted. Use the"
            + " Regen that wrote it");
  }

  private void complete(
      String record, QueueName queue, SnapshotId id, boolean older, Consumer<Digest> each)
      throws IOException {
    if (known.contains(record)) {
      return;
    }
    try {
      Optional<byte[]> bytes = store.record(record, StoredSnapshot.RECORD_BYTES_MAX);
      if (bytes.isEmpty()) {
        return;
      }
      StoredSnapshot stored = StoredSnapshot.parse(record, queue, id, bytes.get());
      stored.manifestChunks().forEach(each);
      name(store, stored, each);
      known.add(record);
    } catch (RegenException.NotFound | RegenException.Damaged e) {
      // An older revision is not read by anybody; one that is gone by now neither.
      if (!older && store.records(record).contains(record)) {
        throw new RegenException.Damaged(
            "nobody can say which chunks snapshot "
                + queue
                + "@"
                + id.shortened()
                + " of the store is made of: "
                + e.getMessage()
                + ". Push it again, or remove it with 'regen rm --store'; until then nothing is"
                + " collected");
      }
    }
  }

  private void upload(
      String record,
      QueueName queue,
      SnapshotId id,
      Predicate<Upload> givenUp,
      Consumer<Digest> each)
      throws IOException {
    try {
      Optional<byte[]> bytes = store.record(record, StoredSnapshot.RECORD_BYTES_MAX);
      if (bytes.isEmpty()) {
        return;
      }
      String tag = RemoteStore.tag(bytes.get());
      Instant renewedAt = StoredSnapshot.renewedAt(record, bytes.get());
      if (!givenUp.test(new Upload(record, tag, renewedAt))) {
        StoredSnapshot stored = StoredSnapshot.parse(record, queue, id, bytes.get());
        if (known.add(record + " " + stored.manifest().tag())) {
          stored.manifestChunks().forEach(each);
          name(store, stored, each);
        }
      }
    } catch (RegenException.NotFound | RegenException.Damaged e) {
      // Nothing of it is complete; whoever pushes it asks what is missing before he says it is.
    }
  }

  private static void name(RemoteStore store, StoredSnapshot stored, Consumer<Digest> each)
      throws IOException {
    Snapshot snapshot = stored.read(store);
    snapshot.archive().chunks().stream().map(Chunk::digest).forEach(each);
    snapshot.archive().entryIndex().stream().map(Chunk::digest).forEach(each);
  }

  private static SnapshotId id(Matcher matcher) {
    return new SnapshotId(matcher.group(1));
  }
}
