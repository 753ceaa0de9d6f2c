package dev.regen.snapshot.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.care.Pauses;
import dev.regen.snapshot.care.StoreCollection;
import dev.regen.snapshot.remote.DirectoryRemote;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Clients push, delete and mount at random while others collect: what a tag means is whole at any
 * time, nobody who was told that a blob is there is told otherwise, and in the end nothing else is
 * left.
 */
class CollectionWhileServingTest {
  static final Duration LEASE = Duration.ofSeconds(1);
  private static final long SECONDS = 6;

  /** A day passes in 2.4 s. */
  private static final long HASTE = 36_000;

  private static final List<RepositoryName> REPOSITORIES =
      List.of(new RepositoryName("team/one"), new RepositoryName("team/two"));
  private static final Retention RULES =
      new Retention(4, Duration.ZERO, Duration.ofDays(1), tag -> tag.value().equals("pinned"));

  private final FastClock clock = new FastClock(HASTE);
  private final Set<ContentDigest> removedByHand = ConcurrentHashMap.newKeySet();
  private final AtomicLong collectedBlobs = new AtomicLong();
  private final AtomicLong collectedChunks = new AtomicLong();

  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path directory;

  @SuppressWarnings("NullAway.Init")
  private RemoteStore store;

  @SuppressWarnings("NullAway.Init")
  private Registry registry;

  @BeforeEach
  void open() throws Exception {
    store = serving();
    registry = new Registry(store, clock, new SegmentBuffers(16), new SegmentBuffers(16));
  }

  @AfterEach
  void close() throws IOException {
    store.close();
  }

  /** What the registry is over. */
  RemoteStore serving() throws Exception {
    return new DirectoryRemote(directory.resolve("store"), Long.MAX_VALUE, LEASE);
  }

  /** The same for who collects, who closes it if it is another. */
  RemoteStore collecting() throws IOException {
    return store;
  }

  /** As long as what was leased or marked is kept, and a little. */
  Duration grace() {
    return LEASE.multipliedBy(2).plusMillis(200);
  }

  @Test
  void nothingThatATagMeansEverLosesAByte() throws Exception {
    long seed = new Random().nextLong();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    List<FutureTask<Void>> all = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Random its = new Random(random.nextLong());
      all.add(task(until, () -> step(its)));
    }
    for (int i = 0; i < 2; i++) {
      all.add(task(until, this::collect));
    }
    all.add(
        task(
            until,
            () -> {
              registry.turn();
              Thread.sleep(300);
            }));
    for (FutureTask<Void> one : all) {
      one.get(60, TimeUnit.SECONDS);
    }
    System.out.println(collectedBlobs + " blobs, " + collectedChunks + " chunks went meanwhile");
    for (RepositoryName repository : REPOSITORIES) {
      assertTagsAreWhole(repository);
    }

    removeAll();

    assertThat(chunks()).as("seed %d", seed).isEmpty();
    assertThat(collectedBlobs.get()).as("seed %d", seed).isPositive();
    assertThat(collectedChunks.get()).as("seed %d", seed).isPositive();
  }

  private interface Step {
    void run() throws Exception;
  }

  private static FutureTask<Void> task(long until, Step step) {
    FutureTask<Void> task =
        new FutureTask<>(() -> {
          while (System.nanoTime() < until) {
            step.run();
          }
          return null;
        });
    Thread.ofPlatform().daemon().start(task);
    return task;
  }

  private void step(Random random) throws Exception {
    RepositoryName repository = REPOSITORIES.get(random.nextInt(REPOSITORIES.size()));
    switch (random.nextInt(8)) {
      case 0 -> registry.tags().remove(repository, tag(random));
      case 1 -> {
        Optional<ContentDigest> digest = registry.tags().find(repository, tag(random));
        if (digest.isPresent()) {
          removedByHand.add(digest.get());
          registry.removeManifest(repository, digest.get());
        }
      }
      case 2 -> mount(random);
      case 3 -> giveUp(repository, random);
      case 4 -> assertTagsAreWhole(repository);
      default -> push(repository, random);
    }
    Thread.sleep(random.nextInt(60));
  }

  private void push(RepositoryName repository, Random random) throws Exception {
    List<JsonObject> layers = new ArrayList<>();
    for (int i = 0; i < 1 + random.nextInt(3); i++) {
      byte[] content = content(random.nextInt(40));
      ContentDigest digest = ContentDigest.Algorithm.SHA256.of(content);
      if (registry.blobs().renew(repository, digest).isEmpty()) {
        upload(repository, content);
      }
      layers.add(descriptor(digest, content.length));
      Thread.sleep(random.nextInt(200));
    }
    boolean index = random.nextInt(4) == 0;
    ContentDigest manifest = put(repository, layers, tagless(random) ? null : tag(random));
    if (index) {
      Thread.sleep(random.nextInt(200));
      byte[] content =
          new JsonObject()
              .with("schemaVersion", 2)
              .with("manifests", List.of(descriptor(manifest, 100)))
              .bytes();
      ContentDigest digest = ContentDigest.Algorithm.SHA256.of(content);
      registry.push(
          repository,
          digest,
          ManifestDocument.OCI_INDEX,
          content,
          List.of(tag(random)),
          _ -> false);
    }
  }

  private static boolean tagless(Random random) {
    return random.nextInt(3) == 0;
  }

  private ContentDigest put(
      RepositoryName repository, List<JsonObject> layers, @Nullable TagName tag)
      throws IOException {
    byte[] content = new JsonObject().with("schemaVersion", 2).with("layers", layers).bytes();
    ContentDigest digest = ContentDigest.Algorithm.SHA256.of(content);
    // All of these were uploaded or said to be there a moment ago.
    registry.push(
        repository,
        digest,
        ManifestDocument.OCI_MANIFEST,
        content,
        tag == null ? List.of() : List.of(tag),
        _ -> false);
    return digest;
  }

  private void upload(RepositoryName repository, byte[] content) throws IOException {
    registry.make(repository);
    String id = registry.uploads().begin(repository, ContentDigest.Algorithm.SHA256);
    registry.uploads().append(repository, id, 0, body(content));
    registry.uploads().finish(repository, id, ContentDigest.Algorithm.SHA256.of(content));
  }

  private void giveUp(RepositoryName repository, Random random) throws IOException {
    registry.make(repository);
    String id = registry.uploads().begin(repository, ContentDigest.Algorithm.SHA256);
    registry.uploads().append(repository, id, 0, body(content(random.nextInt(40))));
  }

  private void mount(Random random) throws IOException {
    ContentDigest digest = ContentDigest.Algorithm.SHA256.of(content(random.nextInt(40)));
    Optional<StoredBlob> blob = registry.blobs().find(REPOSITORIES.getFirst(), digest);
    if (blob.isPresent()) {
      registry.make(REPOSITORIES.getLast());
      registry.blobs().add(REPOSITORIES.getLast(), blob.get());
    }
  }

  private void assertTagsAreWhole(RepositoryName repository) throws IOException {
    for (Map.Entry<TagName, Tags.Revision> tag : registry.tags().all(repository).entrySet()) {
      ContentDigest digest = Objects.requireNonNull(tag.getValue().digest());
      try {
        read(repository, digest);
      } catch (IOException | AssertionError e) {
        // Unless somebody has removed it just now.
        assertThat(registry.tags().find(repository, tag.getKey()))
            .as("%s:%s: %s", repository, tag.getKey(), e)
            .isNotEqualTo(Optional.of(digest));
      }
    }
  }

  private void read(RepositoryName repository, ContentDigest digest) throws IOException {
    StoredManifest manifest =
        registry.manifests().find(repository, digest).orElseThrow(IOException::new);
    ManifestDocument document = Manifests.parse(manifest);
    for (ManifestDocument.Descriptor child : document.manifests()) {
      // An index keeps its manifests from being collected, not from being deleted.
      if (!removedByHand.contains(child.digest())) {
        read(repository, child.digest());
      }
    }
    for (ManifestDocument.Descriptor wanted : document.blobs()) {
      StoredBlob blob = registry.blobs().require(repository, wanted.digest());
      var hasher = ContentDigest.Algorithm.SHA256.hasher();
      registry.reader().read(blob, 0, blob.sizeBytes(), hasher::update);
      assertThat(ContentDigest.Algorithm.SHA256.of(hasher)).isEqualTo(wanted.digest());
    }
  }

  private void collect() throws IOException {
    RemoteStore own = collecting();
    Registry its =
        own.equals(store)
            ? registry
            : new Registry(own, clock, new SegmentBuffers(4), new SegmentBuffers(4));
    try {
      collectedBlobs.addAndGet(
          new RegistryCollection(own, its, clock).run(_ -> RULES, TransferProgress.NONE).blobs());
      collectedChunks.addAndGet(
          new StoreCollection(own, clock, Pauses.REAL)
              .run(grace(), TransferProgress.NONE)
              .deleted());
    } finally {
      if (!own.equals(store)) {
        own.close();
      }
    }
  }

  private void removeAll() throws Exception {
    for (RepositoryName repository : REPOSITORIES) {
      for (TagName tag : registry.tags().all(repository).keySet()) {
        registry.tags().remove(repository, tag);
      }
    }
    for (int i = 0; i < 3; i++) {
      clock.forward(Duration.ofDays(3));
      registry.turn();
      collect();
    }
  }

  private List<String> chunks() throws IOException {
    List<String> all = new ArrayList<>();
    store.list(digest -> all.add(digest.hex()));
    return all;
  }

  private static JsonObject descriptor(ContentDigest digest, int size) {
    return new JsonObject()
        .with("mediaType", "application/octet-stream")
        .with("digest", digest.toString())
        .with("size", size);
  }

  private static byte[] content(int number) {
    byte[] content = new byte[2_000 + number];
    new Random(number).nextBytes(content);
    return content;
  }

  private static TagName tag(Random random) {
    int number = random.nextInt(7);
    return new TagName(number == 6 ? "pinned" : "v" + number);
  }

  private static Uploads.Body body(byte[] content) {
    ByteBuffer all = ByteBuffer.wrap(content);
    return () -> {
      if (!all.hasRemaining()) {
        return null;
      }
      ByteBuffer some = all.duplicate();
      all.position(all.limit());
      return some;
    };
  }
}
