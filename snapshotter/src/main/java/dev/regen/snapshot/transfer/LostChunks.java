package dev.regen.snapshot.transfer;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.store.SealedRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What hosts that fetch a snapshot did not get, though the store said that it has it: records
 * {@code queues/QUEUE/missing/ID/TAG} that name indices of chunks. A host that pushes the snapshot
 * sends these again, whatever the store says, and then removes the records.
 *
 * <p>Equal complaints have one name, so that several hosts, or one that tries again, do not add up.
 */
final class LostChunks {
  /** The most indices in one record, and so the most chunks that are asked for again at once. */
  static final int INDICES_MAX = 10_000;

  private static final int RECORDS_MAX = 64;
  private static final int RECORD_BYTES_MAX = 256 << 10;
  private static final int TAG_CHARACTERS = 16;
  private static final int VERSION = 1;
  private static final String RANGE = "[0-9]{1,9}(-[0-9]{1,9})?";

  private final RemoteStore store;
  private final String prefix;

  /**
   * What was read.
   *
   * @param records the names to {@link #forget}
   * @param indices those of the manifest that was asked for
   */
  record Told(List<String> records, NavigableSet<Integer> indices) {}

  LostChunks(RemoteStore store, QueueName queue, SnapshotId id) {
    this.store = store;
    this.prefix = "queues/" + queue + "/missing/" + id + "/";
  }

  /**
   * Says that chunks are lost.
   *
   * @param indices as {@link Transferred.Placed} has them, at most {@link #INDICES_MAX}
   * @return the record's name; once it is gone they were sent again
   */
  String tell(PackedManifest manifest, Collection<Integer> indices) throws IOException {
    JsonObject json =
        new JsonObject().with("manifest", manifest.tag()).with("indices", ranges(indices));
    byte[] bytes = SealedRecord.seal(VERSION, json);
    String hex = Digest.of(ByteBuffer.wrap(bytes)).hex();
    String name = prefix + hex.substring(0, TAG_CHARACTERS);
    store.replaceRecord(name, bytes, null);
    return name;
  }

  /** What was said so far; what cannot be read is only named. */
  Told told(PackedManifest manifest) throws IOException {
    List<String> names = store.records(prefix);
    names = names.subList(0, Math.min(RECORDS_MAX, names.size()));
    NavigableSet<Integer> indices = new TreeSet<>();
    for (String name : names) {
      try {
        add(indices(name, manifest), indices);
      } catch (RegenException.Damaged e) {
        // Nothing can be learnt from it, whoever wrote it.
      }
    }
    return new Told(List.copyOf(names), indices);
  }

  /** As text; of another manifest none. */
  private String indices(String record, PackedManifest manifest) throws IOException {
    Optional<byte[]> bytes = store.record(record, RECORD_BYTES_MAX);
    if (bytes.isEmpty()) {
      return "";
    }
    JsonObject json = SealedRecord.open(Path.of(record), bytes.get(), VERSION);
    try {
      return json.string("manifest").equals(manifest.tag()) ? json.string("indices") : "";
    } catch (IOException e) {
      throw new RegenException.Damaged(record + " is damaged");
    }
  }

  boolean isTold(String record) throws IOException {
    return store.records(record).contains(record);
  }

  void forget(Collection<String> records) throws IOException {
    for (String record : records) {
      store.deleteRecord(record);
    }
  }

  /** Nobody is to send anything again. */
  void forgetAll() throws IOException {
    forget(store.records(prefix));
  }

  /** Indices for a person and for a record: {@code 3,7-9}. */
  static String ranges(Collection<Integer> indices) {
    StringBuilder text = new StringBuilder();
    List<Integer> sorted = List.copyOf(new TreeSet<>(indices));
    int from = 0;
    for (int i = 0; i < sorted.size(); i++) {
      boolean ends = i + 1 == sorted.size() || sorted.get(i + 1) != sorted.get(i) + 1;
      if (ends) {
        text.append(text.isEmpty() ? "" : ",").append(sorted.get(from));
        text.append(i > from ? "-" + sorted.get(i) : "");
        from = i + 1;
      }
    }
    return text.toString();
  }

  private static void add(String ranges, Set<Integer> indices) throws RegenException {
    List<int[]> all = new ArrayList<>();
    if (ranges.isEmpty()) {
      return;
    }
    for (String range : ranges.split(",", -1)) {
      if (!range.matches(RANGE)) {
        throw new RegenException.Damaged("'" + range + "' are no indices");
      }
      String[] ends = range.split("-", 2);
      all.add(new int[] {Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1])});
    }
    for (int[] range : all) {
      for (int i = range[0]; i <= range[1] && indices.size() < INDICES_MAX; i++) {
        indices.add(i);
      }
    }
  }
}
