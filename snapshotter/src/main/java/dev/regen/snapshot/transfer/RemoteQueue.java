package dev.regen.snapshot.transfer;

import dev.regen.runtime.QueueName;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One queue as a store has it.
 *
 * <p>A snapshot is complete there if a record {@code queues/QUEUE/snapshots/ID/REVISION-TAG} names
 * it; the highest name counts. No such name is used for two contents, so copies of a record never
 * differ, and of two hosts that push the same snapshot at one moment either one may be the last.
 * While it is being pushed {@code queues/QUEUE/upload/ID} names it, and {@link LostChunks} says
 * what of it is to be sent again.
 */
public final class RemoteQueue {
  static final Pattern COMPLETE =
      Pattern.compile("snapshots/([0-9a-f]{32})/([0-9]{6})-([0-9a-f]{16})");
  static final Pattern UPLOAD = Pattern.compile("upload/([0-9a-f]{32})");
  private static final int REVISIONS_MAX = 999_999;
  static final String QUEUES = "queues/";

  private final RemoteStore store;
  private final QueueName name;
  private final String prefix;

  public RemoteQueue(RemoteStore store, QueueName name) {
    this.store = store;
    this.name = name;
    this.prefix = QUEUES + name + "/";
  }

  /**
   * What a store has of a queue.
   *
   * @param complete oldest first
   * @param uploading what is not complete yet, or was given up
   */
  public record Listing(List<StoredSnapshot> complete, Set<SnapshotId> uploading) {}

  /** The queues of which a store has anything, sorted. */
  public static List<QueueName> all(RemoteStore store) throws IOException {
    Set<QueueName> names = new TreeSet<>();
    for (String record : store.records(QUEUES)) {
      String[] parts = record.split("/", 3);
      if (parts.length == 3 && QueueName.isValid(parts[1])) {
        names.add(new QueueName(parts[1]));
      }
    }
    return List.copyOf(names);
  }

  /** All of it; a record that cannot be read is passed over. */
  public Listing list() throws IOException {
    Map<SnapshotId, NavigableMap<String, String>> revisions = new TreeMap<>(byValue());
    Set<SnapshotId> uploading = new TreeSet<>(byValue());
    for (String record : store.records(prefix)) {
      String rest = record.substring(prefix.length());
      Matcher complete = COMPLETE.matcher(rest);
      Matcher upload = UPLOAD.matcher(rest);
      if (complete.matches()) {
        revisions
            .computeIfAbsent(new SnapshotId(complete.group(1)), _ -> new TreeMap<>())
            .put(record, complete.group(2));
      } else if (upload.matches()) {
        uploading.add(new SnapshotId(upload.group(1)));
      }
    }
    List<StoredSnapshot> all = new ArrayList<>();
    for (Map.Entry<SnapshotId, NavigableMap<String, String>> one : revisions.entrySet()) {
      newest(one.getKey(), one.getValue()).ifPresent(all::add);
    }
    all.sort(StoredAddress.OLDEST_FIRST);
    all.forEach(stored -> uploading.remove(stored.id()));
    return new Listing(all, uploading);
  }

  /**
   * The snapshot that an address names, as in a queue of this host.
   *
   * @throws RegenException.NotFound if the store has no such snapshot
   * @throws RegenException.Refused if it is only being uploaded
   */
  public StoredSnapshot find(String address) throws IOException {
    return find(
        list(),
        address,
        "it can be pulled when all of it is there, or with --follow as it comes. If that was"
            + " interrupted, push it again");
  }

  /**
   * As above, among what {@link #list} gave; asks the store nothing.
   *
   * @param ifUploading what to do about one that is only being uploaded
   */
  public StoredSnapshot find(Listing listing, String address, String ifUploading)
      throws RegenException {
    if (listing.complete().isEmpty()) {
      throw none(listing, ifUploading);
    }
    try {
      return StoredAddress.find(name, listing.complete(), address);
    } catch (RegenException.NotFound e) {
      for (SnapshotId id : listing.uploading()) {
        if (id.value().startsWith(address)) {
          throw uploading(id, ifUploading);
        }
      }
      throw new RegenException.NotFound("in the store: " + e.getMessage());
    }
  }

  /** The newest record of one snapshot, if it is complete. */
  Optional<StoredSnapshot> find(SnapshotId id) throws IOException {
    NavigableMap<String, String> revisions = new TreeMap<>();
    for (String record : store.records(prefix + "snapshots/" + id + "/")) {
      Matcher complete = COMPLETE.matcher(record.substring(prefix.length()));
      if (complete.matches()) {
        revisions.put(record, complete.group(2));
      }
    }
    return newest(id, revisions);
  }

  /** Where a snapshot is. */
  sealed interface State {
    /** All of it is there. */
    record Complete(StoredSnapshot snapshot) implements State {}

    /** It is being sent, or that was interrupted. */
    record Uploading(StoredSnapshot snapshot) implements State {}

    /** Nothing says that it is there or will be. */
    record Gone() implements State {}
  }

  /**
   * Where a snapshot is now.
   *
   * @param manifest of one that is complete and being sent anew, the one to be told of
   */
  State state(SnapshotId id, PackedManifest manifest) throws IOException {
    // First this one: it goes when the other is there.
    Optional<StoredSnapshot> upload = upload(id);
    Optional<StoredSnapshot> complete = find(id);
    if (complete.isPresent() && (upload.isEmpty() || complete.get().manifest().equals(manifest))) {
      return new State.Complete(complete.get());
    }
    return upload.<State>map(State.Uploading::new).orElseGet(State.Gone::new);
  }

  /** What is said of a snapshot that is being sent; one that cannot be read is not there. */
  Optional<StoredSnapshot> upload(SnapshotId id) throws IOException {
    String record = uploadName(id);
    try {
      Optional<byte[]> bytes = store.record(record, StoredSnapshot.RECORD_BYTES_MAX);
      return bytes.isEmpty()
          ? Optional.empty()
          : Optional.of(StoredSnapshot.parse(record, name, id, bytes.get()));
    } catch (RegenException.Damaged e) {
      return Optional.empty();
    }
  }

  /**
   * Says that a snapshot is on its way, and where to read what it is made of; from {@code now} on
   * that is believed for {@link StoredChunks#UPLOAD_LEASE}.
   */
  void begin(StoredSnapshot snapshot, Instant now) throws IOException {
    store.replaceRecord(uploadName(snapshot.id()), snapshot.uploadBytes(now), null);
  }

  /**
   * Removes what is said of a snapshot that is complete; its chunks stay.
   *
   * @throws RegenException.Refused if it is being sent anew
   */
  public void remove(SnapshotId id) throws IOException {
    if (store.records(uploadName(id)).contains(uploadName(id))) {
      throw new RegenException.Refused(
          "snapshot "
              + id.shortened()
              + " of queue '"
              + name
              + "' is uploading: it can be removed when that is done; what was given up is removed"
              + " by 'regen storage collect' a day later");
    }
    // Twice: of copies on several servers one may be made again just now.
    for (int i = 0; i < 2; i++) {
      for (String part : List.of("snapshots/", "missing/")) {
        for (String record : store.records(prefix + part + id + "/")) {
          store.deleteRecord(record);
        }
      }
    }
  }

  /** It is not on its way any more. */
  void end(SnapshotId id) throws IOException {
    store.deleteRecord(uploadName(id));
  }

  /** Says that a snapshot is complete; what was said of it before goes. */
  void complete(StoredSnapshot snapshot) throws IOException {
    String own = prefix + "snapshots/" + snapshot.id() + "/";
    List<String> before = store.records(own);
    int revision = 0;
    for (String record : before) {
      Matcher known = COMPLETE.matcher(record.substring(prefix.length()));
      revision = known.matches() ? Math.max(revision, Integer.parseInt(known.group(2))) : revision;
    }
    if (revision >= REVISIONS_MAX) {
      throw new RegenException.Refused(
          "snapshot " + snapshot.id().shortened() + " was pushed " + revision + " times already");
    }
    byte[] bytes = snapshot.bytes();
    String next = own + String.format("%06d-%s", revision + 1, StoredSnapshot.tag(bytes));
    store.replaceRecord(next, bytes, null);
    for (String record : before) {
      store.deleteRecord(record);
    }
    end(snapshot.id());
  }

  private Optional<StoredSnapshot> newest(SnapshotId id, NavigableMap<String, String> revisions)
      throws IOException {
    for (String record : revisions.descendingKeySet()) {
      try {
        Optional<byte[]> bytes = store.record(record, StoredSnapshot.RECORD_BYTES_MAX);
        if (bytes.isPresent()) {
          return Optional.of(StoredSnapshot.parse(record, name, id, bytes.get()));
        }
      } catch (RegenException.Damaged e) {
        // An older one may be whole.
      }
    }
    return Optional.empty();
  }

  private RegenException none(Listing listing, String ifUploading) {
    return listing.uploading().isEmpty()
        ? new RegenException.NotFound("the store has no snapshot of queue '" + name + "'")
        : uploading(listing.uploading().iterator().next(), ifUploading);
  }

  private RegenException uploading(SnapshotId id, String what) {
    return new RegenException.Refused(
        "snapshot "
            + id.shortened()
            + " of queue '"
            + name
            + "' is uploading: "
            + what
            + "; what was given up is removed by 'regen storage collect' a day later");
  }

  private String uploadName(SnapshotId id) {
    return prefix + "upload/" + id;
  }

  private static Comparator<SnapshotId> byValue() {
    return Comparator.comparing(SnapshotId::value);
  }
}
