package dev.regen.snapshot.registry;

import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.function.Function;

/**
 * Removes from a registry what its rules let go: tags and manifests, then blobs that no manifest
 * names, and uploads that nobody goes on with. The chunks go with the store's own collection.
 *
 * <p>Whoever pushes meanwhile is not in danger: what he counts on has a young record, or gets one
 * when he says so, and only records that are old when they are seen are removed. Clocks of managers
 * may be apart by some hours. Stopped anywhere this leaves more than there should be, never less;
 * two at once do no harm.
 */
public final class RegistryCollection {
  private final RemoteStore store;
  private final Registry registry;
  private final InstantSource clock;

  public RegistryCollection(RemoteStore store, Registry registry, InstantSource clock) {
    this.store = store;
    this.registry = registry;
    this.clock = clock;
  }

  /**
   * What went.
   *
   * @param unreadable repositories in which nobody can say what a manifest needs: of these no blob
   *     went
   */
  public record Result(
      int tags, int manifests, int blobs, int uploads, List<RepositoryName> unreadable) {}

  /**
   * Collects.
   *
   * @throws CancellationException soon after the progress said so
   * @throws IOException if the store does not answer, or a server of it; what had gone is gone
   */
  public Result run(Function<RepositoryName, Retention> rules, TransferProgress progress)
      throws IOException {
    int tags = 0;
    int manifests = 0;
    int blobs = 0;
    List<RepositoryName> unreadable = new ArrayList<>();
    for (RepositoryName repository : registry.repositories()) {
      if (progress.cancelled()) {
        throw new CancellationException("cancelled");
      }
      progress.step("looking at repository " + repository);
      Retention retention = rules.apply(repository);
      // What names a blob may lie on a server that is away, and on no other.
      store.requireAll();
      try {
        tags += tags(repository, retention);
        manifests += manifests(repository, retention);
        blobs += blobs(repository);
      } catch (RegenException.Damaged | RegistryException e) {
        unreadable.add(repository);
      }
    }
    return new Result(tags, manifests, blobs, uploads(), unreadable);
  }

  private int tags(RepositoryName repository, Retention retention) throws IOException {
    if (retention.keepTags() < 0) {
      return 0;
    }
    Instant now = clock.instant();
    List<Map.Entry<TagName, Tags.Revision>> newestFirst =
        new ArrayList<>(registry.tags().all(repository).entrySet());
    newestFirst.removeIf(tag -> retention.pinned().test(tag.getKey()));
    newestFirst.sort(
        Map.Entry.<TagName, Tags.Revision>comparingByValue(
                (one, other) -> other.at().compareTo(one.at()))
            .thenComparing(Map.Entry.comparingByKey()));
    int removed = 0;
    for (Map.Entry<TagName, Tags.Revision> tag :
        newestFirst.subList(
            Math.min(retention.keepTags(), newestFirst.size()), newestFirst.size())) {
      boolean isYoung = tag.getValue().at().plus(retention.keepTagsFor()).isAfter(now);
      if (!isYoung && registry.tags().remove(repository, tag.getKey(), tag.getValue())) {
        removed++;
      }
    }
    return removed;
  }

  private int manifests(RepositoryName repository, Retention retention) throws IOException {
    if (retention.removeUntaggedAfter() == null) {
      return 0;
    }
    Map<String, String> records = registry.manifests().records(repository);
    Map<String, ManifestDocument> documents = documents(repository, records);
    Set<String> kept = kept(repository, documents);
    int removed = 0;
    for (Map.Entry<String, String> one : records.entrySet()) {
      boolean isOld =
          Stamp.of(one.getValue()).age(clock.instant()).compareTo(retention.removeUntaggedAfter())
              > 0;
      if (isOld && documents.containsKey(one.getKey()) && !kept.contains(one.getKey())) {
        registry.manifests().removeRecord(repository, one.getValue());
        removed++;
      }
    }
    return removed;
  }

  /** What tags mean, what that names, and what names any of it as its subject. */
  private Set<String> kept(RepositoryName repository, Map<String, ManifestDocument> documents)
      throws IOException {
    Set<String> kept = new HashSet<>();
    List<String> open = new ArrayList<>();
    for (Tags.Revision tag : registry.tags().all(repository).values()) {
      ContentDigest digest = tag.digest();
      if (digest != null) {
        open.add(digest.key());
      }
    }
    Map<String, List<String>> referrers = new HashMap<>();
    documents.forEach((key, document) -> {
      if (document.subject() != null) {
        referrers.computeIfAbsent(document.subject().key(), _ -> new ArrayList<>()).add(key);
      }
    });
    while (!open.isEmpty()) {
      String key = open.removeLast();
      ManifestDocument document = documents.get(key);
      if (document != null && kept.add(key)) {
        document.manifests().forEach(child -> open.add(child.digest().key()));
        open.addAll(referrers.getOrDefault(key, List.of()));
      }
    }
    return kept;
  }

  private int blobs(RepositoryName repository) throws IOException {
    List<String> records = store.records(Names.BLOBS + repository.key() + "/");
    Set<String> needed = new HashSet<>();
    Map<String, ManifestDocument> documents =
        documents(repository, registry.manifests().records(repository));
    documents
        .values()
        .forEach(document -> document.blobs().forEach(blob -> needed.add(blob.digest().key())));
    Map<String, String> newest = new HashMap<>();
    records.forEach(record -> newest.put(Names.digest(record).key(), record));
    Set<String> removed = new HashSet<>();
    for (String record : records) {
      String key = Names.digest(record).key();
      boolean isOld = Stamp.of(record).age(clock.instant()).compareTo(Blobs.KEPT_UNUSED) > 0;
      if (needed.contains(key) ? !record.equals(newest.get(key)) : isOld) {
        store.deleteRecord(record);
        if (!needed.contains(key)) {
          removed.add(key);
        }
      }
    }
    return removed.size();
  }

  private int uploads() throws IOException {
    int removed = 0;
    for (String record : store.records(Names.UPLOADS)) {
      Optional<byte[]> bytes = store.record(record, UploadRecord.BYTES_MAX);
      if (bytes.isPresent()) {
        Instant renewedAt;
        try {
          renewedAt = UploadRecord.parse(record, bytes.get()).renewedAt();
        } catch (RegenException.Damaged e) {
          renewedAt = Instant.EPOCH;
        }
        if (renewedAt.plus(Uploads.LEASE).isBefore(clock.instant())) {
          store.deleteRecord(record);
          removed++;
        }
      }
    }
    return removed;
  }

  private Map<String, ManifestDocument> documents(
      RepositoryName repository, Map<String, String> records) throws IOException {
    Map<String, ManifestDocument> documents = new HashMap<>();
    for (String key : records.keySet()) {
      Optional<StoredManifest> manifest =
          registry.manifests().find(repository, ContentDigest.ofKey(key));
      if (manifest.isPresent()) {
        documents.put(key, Manifests.parse(manifest.get()));
      }
    }
    return documents;
  }
}
