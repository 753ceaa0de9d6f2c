package dev.regen.snapshot.registry;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.remote.Parallel;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The manifests of repositories, and which of them name which as their subject. */
public final class Manifests {
  /** For so long at least a manifest stays that nothing keeps (yet). */
  public static final Duration UNTAGGED_KEPT_MIN = Duration.ofDays(1);

  /** Base64, and what stands around it. */
  private static final int RECORD_BYTES_MAX = 2 * StoredManifest.BYTES_MAX;

  private static final long CACHE_WEIGHT_MAX = 16 << 20;
  private static final long WEIGHT = 500;

  /** Of descriptors: with what stands around them no more than a manifest may have. */
  private static final int PAGE_BYTES_MAX = 3 << 20;

  private final RemoteStore store;
  private final InstantSource clock;
  private final Blobs blobs;
  private final RecentlyUsed<StoredManifest> read = new RecentlyUsed<>(CACHE_WEIGHT_MAX);

  Manifests(RemoteStore store, InstantSource clock, Blobs blobs) {
    this.store = store;
    this.clock = clock;
    this.blobs = blobs;
  }

  public Optional<StoredManifest> find(RepositoryName repository, ContentDigest digest)
      throws IOException {
    // Another record may have taken the newest one's place since the list was made.
    for (int i = 0; i < 2; i++) {
      for (String record : store.records(Names.manifest(repository, digest)).reversed()) {
        Optional<StoredManifest> manifest = read(record, digest);
        if (manifest.isPresent()) {
          return manifest;
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Stores a manifest; the repository has all the blobs that it names, and keeps them as long as it
   * has the manifest.
   *
   * @param contentType as the client gave it, null if he gave none
   * @return what it says
   * @throws RegistryException MANIFEST_INVALID if it is none; MANIFEST_BLOB_UNKNOWN if a blob is
   *     missing; SIZE_INVALID if one has another length than it says
   */
  public ManifestDocument put(
      RepositoryName repository, ContentDigest digest, @Nullable String contentType, byte[] content)
      throws IOException {
    ManifestDocument document = ManifestDocument.parse(contentType, content);
    requireBlobs(repository, document);
    Parallel.run(Set.copyOf(document.manifests()), child -> renew(repository, child.digest()));
    store(repository, new StoredManifest(digest, document.mediaType(), content), document);
    return document;
  }

  /** What an index is about to count on is not collected as long as nothing else keeps it. */
  private void renew(RepositoryName repository, ContentDigest digest) throws IOException {
    List<String> records = store.records(Names.manifest(repository, digest));
    Duration half = UNTAGGED_KEPT_MIN.dividedBy(2);
    if (!records.isEmpty()
        && Stamp.of(records.getLast()).age(clock.instant()).compareTo(half) > 0) {
      Optional<StoredManifest> manifest = find(repository, digest);
      if (manifest.isPresent()) {
        store(repository, manifest.get(), parse(manifest.get()));
      }
    }
  }

  private void store(RepositoryName repository, StoredManifest manifest, ManifestDocument document)
      throws IOException {
    ContentDigest digest = manifest.digest();
    Stamp stamp = Stamp.at(clock.instant());
    String prefix = Names.manifest(repository, digest);
    List<String> before = store.records(prefix);
    store.replaceRecord(prefix + stamp.text(), manifest.bytes(), null);
    remember(prefix + stamp.text(), manifest);
    if (document.subject() != null) {
      String referrers = Names.referrers(repository, document.subject());
      store.replaceRecord(
          referrers + digest.key() + "/" + stamp.text(), new byte[] {'{', '}'}, null);
    }
    for (String record : before) {
      store.deleteRecord(record);
    }
  }

  /** The names of a manifest's records, the newest last. */
  List<String> records(RepositoryName repository, ContentDigest digest) throws IOException {
    return store.records(Names.manifest(repository, digest));
  }

  /**
   * Some of what names a manifest as its subject.
   *
   * @param descriptors in the order of their digests
   * @param last behind which the next page begins; null if there is none
   */
  public record Referrers(List<JsonObject> descriptors, @Nullable ContentDigest last) {}

  /**
   * What names {@code subject} as its subject, as much as a client takes at once.
   *
   * @param artifactType only those of this type; null for all
   * @param last only those behind this one; null for the first
   */
  public Referrers referrers(
      RepositoryName repository,
      ContentDigest subject,
      @Nullable String artifactType,
      @Nullable ContentDigest last)
      throws IOException {
    NavigableSet<String> keys = new TreeSet<>();
    for (String record : store.records(Names.referrers(repository, subject))) {
      keys.add(Names.digest(record).key());
    }
    List<JsonObject> descriptors = new ArrayList<>();
    long bytes = 0;
    ContentDigest before = last;
    for (String key : last == null ? keys : keys.tailSet(last.key(), false)) {
      ContentDigest digest = ContentDigest.ofKey(key);
      Optional<JsonObject> descriptor = referrer(repository, digest, subject, artifactType);
      if (descriptor.isPresent()) {
        bytes += descriptor.get().bytes().length;
        if (bytes > PAGE_BYTES_MAX && !descriptors.isEmpty()) {
          return new Referrers(descriptors, before);
        }
        descriptors.add(descriptor.get());
      }
      before = digest;
    }
    return new Referrers(descriptors, null);
  }

  private Optional<JsonObject> referrer(
      RepositoryName repository,
      ContentDigest digest,
      ContentDigest subject,
      @Nullable String artifactType)
      throws IOException {
    Optional<StoredManifest> manifest = find(repository, digest);
    if (manifest.isEmpty()) {
      return Optional.empty();
    }
    ManifestDocument document = parse(manifest.get());
    boolean wanted = artifactType == null || artifactType.equals(document.artifactType());
    return wanted && subject.equals(document.subject())
        ? Optional.of(descriptor(manifest.get(), document))
        : Optional.empty();
  }

  /** The manifests of a repository, and the newest record of each. */
  Map<String, String> records(RepositoryName repository) throws IOException {
    Map<String, String> newest = new TreeMap<>();
    for (String record : store.records(Names.MANIFESTS + repository.key() + "/")) {
      newest.put(Names.digest(record).key(), record);
    }
    return newest;
  }

  /** Removes one record of a manifest, of several perhaps, and that it names its subject. */
  void removeRecord(RepositoryName repository, String record) throws IOException {
    ContentDigest digest = Names.digest(record);
    Optional<StoredManifest> manifest = read(record, digest);
    store.deleteRecord(record);
    if (manifest.isPresent()) {
      ContentDigest subject = parse(manifest.get()).subject();
      if (subject != null) {
        store.deleteRecord(
            Names.referrers(repository, subject) + digest.key() + "/" + Stamp.of(record).text());
      }
    }
  }

  /** What a stored manifest says; it was read when it was put. */
  static ManifestDocument parse(StoredManifest manifest) throws IOException {
    return ManifestDocument.parse(manifest.mediaType(), manifest.content());
  }

  private void requireBlobs(RepositoryName repository, ManifestDocument document)
      throws IOException {
    Parallel.run(Set.copyOf(document.blobs()), wanted -> requireBlob(repository, wanted));
  }

  private void requireBlob(RepositoryName repository, ManifestDocument.Descriptor wanted)
      throws IOException {
    Optional<StoredBlob> blob = blobs.renew(repository, wanted.digest());
    if (blob.isEmpty()) {
      throw new RegistryException(
          RegistryException.Code.MANIFEST_BLOB_UNKNOWN,
          "repository " + repository + " has no blob " + wanted.digest() + ": push it first",
          new JsonObject().with("digest", wanted.digest().toString()));
    }
    if (blob.get().sizeBytes() != wanted.sizeBytes()) {
      throw new RegistryException(
          RegistryException.Code.SIZE_INVALID,
          "blob "
              + wanted.digest()
              + " has "
              + blob.get().sizeBytes()
              + " bytes; the manifest says "
              + wanted.sizeBytes());
    }
  }

  private static JsonObject descriptor(StoredManifest manifest, ManifestDocument document) {
    JsonObject json =
        new JsonObject()
            .with("mediaType", manifest.mediaType())
            .with("digest", manifest.digest().toString())
            .with("size", manifest.content().length);
    if (document.artifactType() != null) {
      json.with("artifactType", document.artifactType());
    }
    if (document.annotations() != null) {
      json.with("annotations", document.annotations());
    }
    return json;
  }

  private Optional<StoredManifest> read(String record, ContentDigest digest) throws IOException {
    @Nullable StoredManifest known = read.get(record);
    if (known != null) {
      return Optional.of(known);
    }
    Optional<byte[]> bytes = store.record(record, RECORD_BYTES_MAX);
    if (bytes.isEmpty()) {
      return Optional.empty();
    }
    StoredManifest manifest = StoredManifest.parse(record, digest, bytes.get());
    remember(record, manifest);
    return Optional.of(manifest);
  }

  private void remember(String record, StoredManifest manifest) {
    read.put(record, manifest, manifest.content().length + WEIGHT);
  }
}
