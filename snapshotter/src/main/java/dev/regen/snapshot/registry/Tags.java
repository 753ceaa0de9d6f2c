package dev.regen.snapshot.registry;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.Parallel;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.store.SealedRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * The tags of repositories.
 *
 * <p>Each change of a tag is a record with the next revision in its name, written only if there is
 * none of that name: of two who change a tag at once, on whichever managers, one does so first and
 * the other after having seen that. A tag that was removed has such a record too, so that its
 * revisions go on.
 */
public final class Tags {
  private static final int RECORD_BYTES_MAX = 4 << 10;
  private static final long CACHE_WEIGHT_MAX = 20_000;
  private static final int REVISION_MAX = 99_999_999;
  private static final int VERSION = 1;

  /** So often somebody else may be first. */
  private static final int ATTEMPTS_MAX = 50;

  private final RemoteStore store;
  private final InstantSource clock;

  /**
   * Not of several servers: where those were away in turn, two may have other contents under one
   * name.
   */
  private final boolean mayRemember;

  private final RecentlyUsed<Revision> read = new RecentlyUsed<>(CACHE_WEIGHT_MAX);

  /**
   * What a tag means from some moment on.
   *
   * @param number from 1
   * @param digest of the manifest; null: the tag is gone
   */
  public record Revision(int number, @Nullable ContentDigest digest, Instant at) {}

  Tags(RemoteStore store, InstantSource clock) {
    this.store = store;
    this.clock = clock;
    this.mayRemember = store.shards().isEmpty();
  }

  /** The manifest that a tag means. */
  public Optional<ContentDigest> find(RepositoryName repository, TagName tag) throws IOException {
    return newest(repository, tag).map(Revision::digest);
  }

  /**
   * From now on the tag means this manifest.
   *
   * @param immutable whether it may not mean another already; then all servers of the store must
   *     answer, for one that is away may know that it does
   * @throws RegistryException DENIED if it does
   * @throws IOException if a server does not answer
   */
  public void set(RepositoryName repository, TagName tag, ContentDigest digest, boolean immutable)
      throws IOException {
    if (immutable) {
      store.requireAll();
    }
    for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      Optional<Revision> before = newest(repository, tag);
      @Nullable ContentDigest now = before.map(Revision::digest).orElse(null);
      if (digest.equals(now)) {
        return;
      }
      if (now != null && immutable) {
        throw new RegistryException(
            RegistryException.Code.DENIED,
            "tag " + tag + " of " + repository + " is immutable and means " + now);
      }
      if (change(repository, tag, before, digest)) {
        return;
      }
    }
    throw new RegistryException(
        RegistryException.Code.TOOMANYREQUESTS,
        "tag " + tag + " of " + repository + " is changed by others all the time; try again");
  }

  /** Removes a tag; returns whether it was there. */
  public boolean remove(RepositoryName repository, TagName tag) throws IOException {
    for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      Optional<Revision> before = newest(repository, tag);
      if (before.isEmpty() || before.get().digest() == null) {
        return false;
      }
      if (change(repository, tag, before, null)) {
        return true;
      }
    }
    throw new RegistryException(
        RegistryException.Code.TOOMANYREQUESTS,
        "tag " + tag + " of " + repository + " is changed by others all the time; try again");
  }

  /**
   * Removes a tag if it is still at this revision; returns whether it was.
   *
   * @param revision one that {@link #all} gave
   */
  boolean remove(RepositoryName repository, TagName tag, Revision revision) throws IOException {
    return change(repository, tag, Optional.of(revision), null);
  }

  /** The tags of a repository in their order, without those that are gone. */
  public Map<TagName, Revision> all(RepositoryName repository) throws IOException {
    String prefix = Names.TAGS + repository.key() + "/";
    Map<TagName, String> newest = new TreeMap<>();
    for (String record : store.records(prefix)) {
      // Sorted, so the highest revision comes last.
      newest.put(new TagName(record.substring(prefix.length(), record.lastIndexOf('/'))), record);
    }
    Map<TagName, Revision> all = new ConcurrentSkipListMap<>();
    Parallel.run(
        newest.entrySet(),
        one -> {
          Optional<Revision> revision = read(one.getValue());
          if (revision.isEmpty()) {
            revision = newest(repository, one.getKey());
          }
          if (revision.isPresent() && revision.get().digest() != null) {
            all.put(one.getKey(), revision.get());
          }
        });
    return all;
  }

  private Optional<Revision> newest(RepositoryName repository, TagName tag) throws IOException {
    // A higher one may have taken its place since the list was made.
    for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      List<String> records = store.records(Names.tag(repository, tag));
      if (records.isEmpty()) {
        return Optional.empty();
      }
      Optional<Revision> revision = read(records.getLast());
      if (revision.isPresent()) {
        return revision;
      }
    }
    throw new IOException("tag " + tag + " of " + repository + " cannot be read");
  }

  private boolean change(
      RepositoryName repository,
      TagName tag,
      Optional<Revision> before,
      @Nullable ContentDigest digest)
      throws IOException {
    int number = before.map(Revision::number).orElse(0) + 1;
    if (number > REVISION_MAX) {
      throw new RegenException.Refused("tag " + tag + " was changed " + REVISION_MAX + " times");
    }
    Instant now = clock.instant();
    JsonObject json = new JsonObject().with("at", now);
    if (digest != null) {
      json.with("digest", digest.toString());
    }
    String prefix = Names.tag(repository, tag);
    String record = prefix + String.format("%08d", number);
    if (!store.replaceRecord(record, SealedRecord.seal(VERSION, json), RemoteStore.ABSENT)) {
      return false;
    }
    for (String older : store.records(prefix)) {
      if (older.compareTo(record) < 0) {
        store.deleteRecord(older);
      }
    }
    return true;
  }

  private Optional<Revision> read(String record) throws IOException {
    @Nullable Revision known = read.get(record);
    if (known != null) {
      return Optional.of(known);
    }
    Optional<byte[]> bytes = store.record(record, RECORD_BYTES_MAX);
    if (bytes.isEmpty()) {
      return Optional.empty();
    }
    JsonObject json = SealedRecord.open(Path.of(record), bytes.get(), VERSION);
    try {
      String digest = json.stringOrNull("digest");
      Revision revision =
          new Revision(
              Integer.parseInt(record.substring(record.lastIndexOf('/') + 1)),
              digest == null ? null : ContentDigest.parse(digest),
              json.instant("at"));
      if (mayRemember) {
        read.put(record, revision, 1);
      }
      return Optional.of(revision);
    } catch (IllegalArgumentException e) {
      throw new RegenException.Damaged(
          "the store's record " + record + " is damaged: " + e.getMessage());
    }
  }
}
