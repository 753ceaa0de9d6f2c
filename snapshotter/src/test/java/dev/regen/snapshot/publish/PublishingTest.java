package dev.regen.snapshot.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.ZstdInputStream;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.care.StoreCollection;
import dev.regen.snapshot.image.ImagePush;
import dev.regen.snapshot.image.MadeImage;
import dev.regen.snapshot.registry.ContentDigest;
import dev.regen.snapshot.registry.Registry;
import dev.regen.snapshot.registry.RegistryException;
import dev.regen.snapshot.registry.RepositoryName;
import dev.regen.snapshot.registry.SegmentBuffers;
import dev.regen.snapshot.registry.StoredBlob;
import dev.regen.snapshot.registry.TagName;
import dev.regen.snapshot.remote.DirectoryRemote;
import dev.regen.snapshot.transfer.RemoteQueue;
import dev.regen.snapshot.transfer.SharedStore;
import dev.regen.snapshot.transfer.TestHost;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Snapshots become images: of layers that are there already, and to the byte what was captured. */
final class PublishingTest {
  private static final RepositoryName REPOSITORY = new RepositoryName("team/desk");
  private static final TagName TAG = new TagName("today");
  private static final byte[] LARGE = MadeImage.bytes(1, 5 << 20);
  private static final byte[] SMALL = MadeImage.bytes(2, 10_240);

  @TempDir private Path directory;
  private DirectoryRemote store;
  private Registry registry;
  private Publishing publishing;
  private TestHost host;
  private SnapshotId snapshot = new SnapshotId("0".repeat(32));

  @BeforeEach
  void open() throws IOException {
    store = new DirectoryRemote(directory.resolve("store"), Long.MAX_VALUE);
    registry =
        new Registry(store, InstantSource.system(), new SegmentBuffers(16), new SegmentBuffers(16));
    publishing = new Publishing(store, registry);
    host = new TestHost(directory.resolve("home"));
  }

  @AfterEach
  void close() {
    store.close();
  }

  @ParameterizedTest
  @CsvSource({
    "DOCKER_20, ZSTD, OCI",
    "DOCKER_28, TAR, DOCKER",
    "DOCKER_28, GZIP, OCI",
    "CONTAINERD, ZSTD, OCI",
    "CONTAINERD, TAR, OCI",
    "CONTAINERD, GZIP, DOCKER"
  })
  void everyLayerHasTheDigestsThatTheDocumentsSay(
      MadeImage.By by, LayerForm layer, ManifestForm manifest) throws IOException {
    pushAll(by);

    Published published = publish(request(layer, manifest), NO_LIMITS);

    JsonObject document = manifest();
    assertThat(document.string("mediaType")).isEqualTo(manifest.manifestType());
    List<String> diffIds = config(document).object("rootfs").strings("diff_ids");
    List<JsonObject> layers = document.objects("layers");
    assertThat(layers).hasSize(published.layers()).hasSize(3);
    for (int i = 0; i < layers.size(); i++) {
      byte[] bytes = blob(layers.get(i));
      byte[] plain = unpacked(layers.get(i).string("mediaType"), bytes);
      assertThat(sha256(plain)).as("layer %d", i).isEqualTo(diffIds.get(i));
    }
    byte[] last = unpacked(layers.get(2).string("mediaType"), blob(layers.get(2)));
    assertThat(last).isEqualTo(host.tar(snapshot));
  }

  @ParameterizedTest
  @CsvSource({"DOCKER_20, ZSTD", "DOCKER_20, TAR", "CONTAINERD, ZSTD", "CONTAINERD, TAR"})
  void nothingButTheConfigurationIsStored(MadeImage.By by, LayerForm layer) throws IOException {
    pushAll(by);
    List<Digest> before = chunks();

    publish(request(layer, ManifestForm.OCI), NO_LIMITS);

    List<Digest> added = chunks();
    added.removeAll(before);
    assertThat(added).containsExactly(Digest.parse(manifest().object("config").string("digest")));
  }

  @ParameterizedTest
  @CsvSource({"ZSTD", "TAR", "GZIP"})
  void theSameAgainIsTheSameImage(LayerForm layer) throws IOException {
    pushAll(MadeImage.By.DOCKER_20);
    PublishRequest request = request(layer, ManifestForm.OCI);
    Published first = publish(request, NO_LIMITS);
    List<Digest> before = chunks();

    Published again = publish(request, NO_LIMITS);
    publishing = new Publishing(store, registry);
    Published afterRestart = publish(request, NO_LIMITS);

    assertThat(List.of(again.digest(), afterRestart.digest())).containsOnly(first.digest());
    assertThat(chunks()).isEqualTo(before);
  }

  @Test
  void theConfigurationKeepsWhatItHadAndSaysWhatWasAdded() throws IOException {
    pushAll(MadeImage.By.DOCKER_20);

    publish(request(LayerForm.ZSTD, ManifestForm.OCI), NO_LIMITS);

    JsonObject config = config(manifest());
    assertThat(config.string("comment")).isEqualTo("an image");
    assertThat(config.string("created")).isEqualTo("2026-11-22T09:00:01Z");
    assertThat(config.objects("history")).hasSize(1);
    assertThat(config.objects("history").getFirst().string("created_by"))
        .isEqualTo("regen publish desk@" + snapshot);
  }

  @ParameterizedTest
  @CsvSource({
    "DOCKER_20, ZSTD, OCI",
    "DOCKER_28, TAR, OCI",
    "DOCKER_28, GZIP, DOCKER",
    "CONTAINERD, ZSTD, OCI",
    "CONTAINERD, GZIP, OCI",
    "CONTAINERD, TAR, DOCKER"
  })
  void squashedItIsOneLayerOfAllFiles(MadeImage.By by, LayerForm layer, ManifestForm manifest)
      throws IOException {
    byte[] low = pushAllOfTars(by);

    Published published = publish(squashed(layer, manifest), NO_LIMITS);

    JsonObject document = manifest();
    assertThat(document.string("mediaType")).isEqualTo(manifest.manifestType());
    assertThat(document.objects("layers")).hasSize(published.layers()).hasSize(1);
    JsonObject only = document.objects("layers").getFirst();
    byte[] plain = unpacked(only.string("mediaType"), blob(only));
    JsonObject config = config(document);
    assertThat(config.object("rootfs").strings("diff_ids")).containsExactly(sha256(plain));
    assertThat(config.string("comment")).isEqualTo("an image");
    assertThat(config.objects("history")).hasSize(1);
    assertThat(config.objects("history").getFirst().string("comment")).contains("desk@" + snapshot);
    assertThat(plain).as("as many files, others' bytes").hasSameSizeAs(low).isNotEqualTo(low);
  }

  @ParameterizedTest
  @CsvSource({"ZSTD", "TAR", "GZIP"})
  void squashedAgainItIsTheSameImage(LayerForm layer) throws IOException {
    pushAllOfTars(MadeImage.By.CONTAINERD);
    Published first = publish(squashed(layer, ManifestForm.OCI), NO_LIMITS);
    List<Digest> before = chunks();

    Published again = publish(squashed(layer, ManifestForm.OCI), NO_LIMITS);

    assertThat(again.digest()).isEqualTo(first.digest());
    assertThat(chunks()).isEqualTo(before);
  }

  @Test
  void imageThatCannotBeMergedIsRefusedInWords() throws IOException {
    pushAll(MadeImage.By.DOCKER_20);

    assertThatThrownBy(() -> publish(squashed(LayerForm.GZIP, ManifestForm.OCI), NO_LIMITS))
        .isInstanceOf(UnpublishableException.class)
        .hasMessageContaining("layer " + sha256(LARGE) + " of the image: it is no tar")
        .hasMessageContaining("without --squash");

    assertThat(store.records("registry/upload/")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3_000_000, 6_000_000})
  void cancelledWhileItIsSquashedItEndsAndLeavesNothing(int afterBytes) throws IOException {
    pushAllOfTars(MadeImage.By.DOCKER_20);
    PublishRequest request = squashed(LayerForm.ZSTD, ManifestForm.OCI);
    TransferProgress given = new CancelledAfter(afterBytes);

    assertThatThrownBy(
            () -> publishing.publish(publishing.find(request), request, NO_LIMITS, given))
        .isInstanceOf(CancellationException.class);

    assertThat(registry.tags().find(REPOSITORY, TAG)).isEmpty();
    assertThat(store.records("registry/upload/")).isEmpty();
  }

  @Test
  void chunkThatIsLostWhileItIsSquashedIsTold() throws IOException {
    pushAllOfTars(MadeImage.By.CONTAINERD);
    PublishRequest request = squashed(LayerForm.GZIP, ManifestForm.OCI);
    Publishable found = publishing.find(request);
    reopenWithoutLeases();
    store.delete(found.snapshot().archive().chunks().getLast().digest());

    assertThatThrownBy(() -> publish(request, NO_LIMITS))
        .isInstanceOf(RegenException.Damaged.class);

    assertThat(registry.tags().find(REPOSITORY, TAG)).isEmpty();
  }

  @Test
  void whatIsNotInTheStoreIsRefusedWithWhatToDo() throws IOException {
    pushImage(MadeImage.By.DOCKER_20);
    snapshot = host.capture(1, 2);

    assertThatThrownBy(() -> publish(request(LayerForm.ZSTD, ManifestForm.OCI), NO_LIMITS))
        .isInstanceOf(UnpublishableException.class)
        .hasMessageContaining("desk")
        .hasMessageContaining("regen publish --store URL");
  }

  @Test
  void whatIsUploadingIsRefusedWithWhatToDo() throws IOException {
    pushImage(MadeImage.By.DOCKER_20);
    snapshot = host.capture(1, 5);
    SharedStore cut = new SharedStore(store);
    cut.putsMax = 2;
    assertThatThrownBy(() -> host.push(cut, snapshot)).hasMessageContaining("the cable is cut");

    assertThatThrownBy(() -> publish(request(LayerForm.ZSTD, ManifestForm.OCI), NO_LIMITS))
        .isInstanceOf(UnpublishableException.class)
        .hasMessageContaining("is uploading: it can be published when all of it is there");
  }

  @Test
  void withoutItsImageItIsRefusedWithWhatToDo() throws IOException {
    host.imageId = Digest.of(ByteBuffer.wrap(SMALL)).toString();
    snapshot = host.capture(1, 2);
    host.push(store, snapshot);

    assertThatThrownBy(() -> publish(request(LayerForm.ZSTD, ManifestForm.OCI), NO_LIMITS))
        .isInstanceOf(UnpublishableException.class)
        .hasMessageContaining("without --no-image");
  }

  @Test
  void tagThatMayNotChangeStaysWhatItIs() throws IOException {
    pushAll(MadeImage.By.DOCKER_20);
    Limits refusing =
        new NoLimits() {
          @Override
          public void requireChangeable(
              RepositoryName repository, TagName tag, ContentDigest digest) throws IOException {
            throw new RegistryException(RegistryException.Code.DENIED, "immutable");
          }
        };

    assertThatThrownBy(() -> publish(request(LayerForm.ZSTD, ManifestForm.OCI), refusing))
        .hasMessage("immutable");

    assertThat(registry.tags().find(REPOSITORY, TAG)).isEmpty();
    assertThat(registry.blobs().bytes(REPOSITORY)).isZero();
  }

  @ParameterizedTest
  @CsvSource({"ZSTD", "GZIP"})
  void whatIsOverTheQuotaIsNotPublished(LayerForm layer) throws IOException {
    pushAll(MadeImage.By.DOCKER_20);
    Limits full =
        new NoLimits() {
          @Override
          public void requireRoom(RepositoryName repository, long bytes) throws IOException {
            if (registry.blobs().bytes(repository) + bytes > LARGE.length) {
              throw new RegistryException(RegistryException.Code.DENIED, "full");
            }
          }
        };

    assertThatThrownBy(() -> publish(request(layer, ManifestForm.OCI), full)).hasMessage("full");

    assertThat(registry.tags().find(REPOSITORY, TAG)).isEmpty();
    assertThat(store.records("registry/upload/")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"ZSTD", "TAR", "GZIP"})
  void cancelledItEndsAndLeavesNothing(LayerForm layer) throws IOException {
    pushAll(MadeImage.By.DOCKER_20);
    PublishRequest request = request(layer, ManifestForm.OCI);
    TransferProgress given = new CancelledAfter(0);

    assertThatThrownBy(
            () -> publishing.publish(publishing.find(request), request, NO_LIMITS, given))
        .isInstanceOf(CancellationException.class);

    assertThat(registry.tags().find(REPOSITORY, TAG)).isEmpty();
    assertThat(store.records("registry/upload/")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"ZSTD", "TAR", "GZIP"})
  void lostChunkIsToldAndNothingIsPublished(LayerForm layer) throws IOException {
    pushAll(MadeImage.By.DOCKER_20);
    PublishRequest request = request(layer, ManifestForm.OCI);
    Publishable found = publishing.find(request);
    reopenWithoutLeases();
    store.delete(found.base().getFirst().chunks().getFirst().digest());

    assertThatThrownBy(() -> publish(request, NO_LIMITS))
        .isInstanceOf(RegenException.Damaged.class);

    assertThat(registry.tags().find(REPOSITORY, TAG)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"ZSTD", "TAR"})
  void theImageIsWholeAfterTheSnapshotWasRemovedFromTheStoreAndTheRestCollected(LayerForm layer)
      throws IOException {
    pushAll(MadeImage.By.DOCKER_20);
    publish(request(layer, ManifestForm.OCI), NO_LIMITS);
    int before = chunks().size();
    reopenWithoutLeases();

    new RemoteQueue(store, TestHost.DESK).remove(snapshot);
    new StoreCollection(store, InstantSource.system(), (_, _) -> {})
        .run(StoreCollection.GRACE, TransferProgress.NONE);

    assertThat(chunks()).as("its manifest and index are gone").hasSizeLessThan(before);
    for (JsonObject one : manifest().objects("layers")) {
      assertThat(blob(one)).isNotEmpty();
    }
  }

  private void reopenWithoutLeases() throws IOException {
    store.close();
    store = new DirectoryRemote(directory.resolve("store"), Long.MAX_VALUE, Duration.ZERO);
    registry =
        new Registry(store, InstantSource.system(), new SegmentBuffers(16), new SegmentBuffers(16));
    publishing = new Publishing(store, registry);
  }

  private void pushAll(MadeImage.By by) throws IOException {
    pushImage(by);
    snapshot = host.capture(1, 5);
    host.push(store, snapshot);
  }

  private void pushImage(MadeImage.By by) throws IOException {
    MadeImage image = new MadeImage(by, "an image", List.of(LARGE, SMALL));
    new ImagePush(store).push(image, null, TransferProgress.NONE);
    host.imageId = image.id().toString();
  }

  /**
   * Of an image whose layers have files of which those above have some again; returns the lowest,
   * which has all names.
   */
  private byte[] pushAllOfTars(MadeImage.By by) throws IOException {
    byte[] low = host.tar(host.capture(7, 8));
    byte[] high = host.tar(host.capture(8, 7));
    MadeImage image = new MadeImage(by, "an image", List.of(low, high));
    new ImagePush(store).push(image, null, TransferProgress.NONE);
    host.imageId = image.id().toString();
    snapshot = host.capture(1, 5);
    host.push(store, snapshot);
    return low;
  }

  private PublishRequest squashed(LayerForm layer, ManifestForm manifest) {
    return new PublishRequest(
        TestHost.DESK, snapshot.value(), REPOSITORY, TAG, layer, manifest, true);
  }

  private PublishRequest request(LayerForm layer, ManifestForm manifest) {
    return new PublishRequest(
        TestHost.DESK, snapshot.value(), REPOSITORY, TAG, layer, manifest, false);
  }

  private Published publish(PublishRequest request, Limits limits) throws IOException {
    return publishing.publish(publishing.find(request), request, limits, TransferProgress.NONE);
  }

  private JsonObject manifest() throws IOException {
    ContentDigest digest = registry.tags().find(REPOSITORY, TAG).orElseThrow();
    return JsonObject.parse(registry.manifests().find(REPOSITORY, digest).orElseThrow().content());
  }

  private JsonObject config(JsonObject manifest) throws IOException {
    return JsonObject.parse(blob(manifest.object("config")));
  }

  /** A blob's bytes, compared with what the descriptor says of them. */
  private byte[] blob(JsonObject descriptor) throws IOException {
    ContentDigest digest = ContentDigest.parse(descriptor.string("digest"));
    StoredBlob blob = registry.blobs().require(REPOSITORY, digest);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    registry
        .reader()
        .read(
            blob,
            0,
            blob.sizeBytes(),
            some -> {
              byte[] bytes = new byte[some.remaining()];
              some.get(bytes);
              out.writeBytes(bytes);
            });
    assertThat(out.size()).isEqualTo((int) descriptor.number("size"));
    assertThat(sha256(out.toByteArray())).isEqualTo(digest.toString());
    return out.toByteArray();
  }

  private static byte[] unpacked(String type, byte[] bytes) throws IOException {
    InputStream packed = new ByteArrayInputStream(bytes);
    try (InputStream in =
        type.endsWith("gzip")
            ? new GZIPInputStream(packed)
            : type.endsWith("zstd") ? new ZstdInputStream(packed) : packed) {
      return in.readAllBytes();
    }
  }

  private static String sha256(byte[] bytes) {
    return ContentDigest.Algorithm.SHA256.of(bytes).toString();
  }

  private List<Digest> chunks() throws IOException {
    List<Digest> all = new ArrayList<>();
    store.list(all::add);
    return all;
  }

  /** Nobody wants it any more once more than so many bytes were read. */
  private static final class CancelledAfter implements TransferProgress {
    private final long bytesMax;
    private boolean over;

    CancelledAfter(long bytesMax) {
      this.bytesMax = bytesMax;
    }

    @Override
    public synchronized void done(long chunks, long bytes) {
      over = bytes > bytesMax;
    }

    @Override
    public synchronized boolean cancelled() {
      return over;
    }
  }

  private static final Limits NO_LIMITS = new NoLimits();

  private static class NoLimits implements Limits {
    @Override
    public void requireRoom(RepositoryName repository, long bytes) throws IOException {}

    @Override
    public void requireChangeable(RepositoryName repository, TagName tag, ContentDigest digest)
        throws IOException {}

    @Override
    public boolean isImmutable(RepositoryName repository, TagName tag) {
      return false;
    }
  }
}
