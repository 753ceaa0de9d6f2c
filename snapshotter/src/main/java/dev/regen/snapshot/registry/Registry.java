package dev.regen.snapshot.registry;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The repositories of a store. Any number of managers may serve one store, as long as it holds what
 * {@link RemoteStore#replaceRecord} promises among hosts.
 */
public final class Registry {
  private static final int NAME_BYTES_MAX = 1_024;

  private final RemoteStore store;
  private final Blobs blobs;
  private final Manifests manifests;
  private final Tags tags;
  private final Uploads uploads;
  private final BlobReader reader;
  private final Uses uses;
  private final Set<String> known = ConcurrentHashMap.newKeySet();

  /**
   * @param buffers what blobs that are pushed may take
   * @param readBuffers what those may take that are pulled and do not lie in files of this host
   */
  public Registry(
      RemoteStore store, InstantSource clock, SegmentBuffers buffers, SegmentBuffers readBuffers) {
    this.store = store;
    this.blobs = new Blobs(store, clock);
    this.manifests = new Manifests(store, clock, blobs);
    this.tags = new Tags(store, clock);
    this.reader = new BlobReader(store, readBuffers);
    this.uses = new Uses(store);
    this.uploads = new Uploads(store, clock, buffers, reader, blobs, uses);
  }

  public Blobs blobs() {
    return blobs;
  }

  public Manifests manifests() {
    return manifests;
  }

  public Tags tags() {
    return tags;
  }

  public Uploads uploads() {
    return uploads;
  }

  public BlobReader reader() {
    return reader;
  }

  /**
   * Counts on what is in the store anew, as of now: to be called each few minutes, or chunks that
   * nobody needs stay as long as this process runs.
   */
  public void turn() throws IOException {
    uses.turn();
  }

  /** Returns when what has arrived of uploads is stored, or so much time has passed. */
  public void awaitStored(Duration limit) {
    uses.awaitNone(limit);
  }

  /** From now on there is a repository of this name, if there was none. */
  public void make(RepositoryName name) throws IOException {
    if (!known.contains(name.value())) {
      store.replaceRecord(
          Names.NAMES + name.key(), name.value().getBytes(StandardCharsets.UTF_8), null);
      known.add(name.value());
    }
  }

  /** Whether anything was ever pushed to it. */
  public boolean exists(RepositoryName name) throws IOException {
    return known.contains(name.value()) || name(Names.NAMES + name.key()).isPresent();
  }

  /**
   * Looks whether what was not found is not there: a server that is away may have it.
   *
   * @throws IOException if one is
   */
  public void requireAll() throws IOException {
    store.requireAll();
  }

  /** All repositories, sorted. */
  public List<RepositoryName> repositories() throws IOException {
    List<String> names = new ArrayList<>();
    for (String record : store.records(Names.NAMES)) {
      name(record).ifPresent(names::add);
    }
    names.sort(null);
    return names.stream().filter(RepositoryName::isValid).map(RepositoryName::new).toList();
  }

  /**
   * From now on the repository has this blob, made of chunks that others have put into the store.
   *
   * @throws RegenException.Damaged if one of them is not there any more
   */
  public void adopt(RepositoryName repository, StoredBlob blob) throws IOException {
    make(repository);
    try (Uses.Use _ = uses.begin()) {
      // Leases them too, until there is the record that names them.
      Set<Digest> missing = store.missing(blob.chunks().stream().map(Chunk::digest).toList());
      if (!missing.isEmpty()) {
        throw new RegenException.Damaged(
            "the store has not all chunks of "
                + blob.digest()
                + " any more, "
                + missing.iterator().next()
                + " for one");
      }
      if (blobs.renew(repository, blob.digest()).isEmpty()) {
        blobs.add(repository, blob);
      }
    }
  }

  /**
   * Stores a manifest, as {@link Manifests#put} does, and lets tags mean it; both are there when
   * this returns, even if somebody removes that manifest at this moment.
   *
   * @param immutable tags that may not mean another
   */
  public ManifestDocument push(
      RepositoryName repository,
      ContentDigest digest,
      @Nullable String contentType,
      byte[] content,
      List<TagName> names,
      Predicate<TagName> immutable)
      throws IOException {
    ManifestDocument document = manifests.put(repository, digest, contentType, content);
    make(repository);
    for (TagName tag : names) {
      tags.set(repository, tag, digest, immutable.test(tag));
    }
    if (!names.isEmpty() && manifests.find(repository, digest).isEmpty()) {
      manifests.put(repository, digest, contentType, content);
    }
    return document;
  }

  /** Removes a manifest and the tags that mean it; returns whether it was there. */
  public boolean removeManifest(RepositoryName repository, ContentDigest digest)
      throws IOException {
    List<String> seen = manifests.records(repository, digest);
    for (Map.Entry<TagName, Tags.Revision> tag : tags.all(repository).entrySet()) {
      if (digest.equals(tag.getValue().digest())) {
        tags.remove(repository, tag.getKey(), tag.getValue());
      }
    }
    // Who pushes it again meanwhile writes another record.
    for (String record : seen) {
      manifests.removeRecord(repository, record);
    }
    return !seen.isEmpty();
  }

  private Optional<String> name(String record) throws IOException {
    return store
        .record(record, NAME_BYTES_MAX)
        .map(bytes -> new String(bytes, StandardCharsets.UTF_8));
  }
}
