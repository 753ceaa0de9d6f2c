package dev.regen.snapshot.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.care.ImageRemoval;
import dev.regen.snapshot.care.StoreCollection;
import dev.regen.snapshot.care.StoreRemoval;
import dev.regen.snapshot.image.ImagePush;
import dev.regen.snapshot.image.ImageTag;
import dev.regen.snapshot.image.MadeImage;
import dev.regen.snapshot.remote.DirectoryRemote;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images that are removed from a store while others, snapshots or pushes need what they have. */
final class ImageRemovalFromASharedStoreTest {
  private static final byte[] BASE = MadeImage.bytes(1, 3 << 20);
  private static final ImageTag ONE = new ImageTag("box", "one");
  private static final ImageTag TWO = new ImageTag("box", "two");
  private static final MadeImage FIRST = image("a", BASE, MadeImage.bytes(2, 200_000));
  private static final MadeImage SECOND = image("b", BASE, MadeImage.bytes(3, 200_000));
  private static final String GIVEN_UP = "images/upload/sha256/" + "a".repeat(64);

  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init")
  private DirectoryRemote store;

  @BeforeEach
  void open() throws IOException {
    store = new DirectoryRemote(directory.resolve("store"), Long.MAX_VALUE, Duration.ofMillis(1));
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void whatTwoImagesShareStaysUntilTheSecondIsRemovedToo() throws Exception {
    push(FIRST, ONE);
    push(SECOND, TWO);
    ImageRemoval.Result removed = remove("box:one");
    assertThat(removed.removed()).containsExactly(ONE);
    assertThat(removed.layers()).as("its own, not the one they share").isEqualTo(1);
    assertThat(removed.layersKept()).isFalse();
    assertThatThrownBy(() -> remove("box:one")).isInstanceOf(RegenException.NotFound.class);
    assertThat(collect().deleted()).isPositive();
    assertThat(push(SECOND, TWO).there()).isTrue();

    assertThat(remove("box:two").layers()).isEqualTo(2);
    assertThat(store.records("")).isEmpty();
    collect();
    assertThat(store.chunkCount()).isZero();
    assertThat(push(FIRST, ONE).layersSent()).isEqualTo(2);
  }

  @Test
  void anImageWithTwoNamesGoesWithTheSecondAndByItsIdWithBoth() throws IOException {
    push(FIRST, ONE);
    push(FIRST, TWO);
    ImageRemoval.Result name = remove("box:one");
    assertThat(name.left()).containsExactly(TWO);
    assertThat(push(FIRST, ONE).there()).isTrue();
    assertThat(remove(FIRST.id().hex().substring(0, 12)).removed()).containsExactly(ONE, TWO);
    assertThat(store.records("")).isEmpty();
  }

  @Test
  void anImageStaysAsLongAsASnapshotLiesOnIt() throws IOException {
    TestHost host = new TestHost(directory.resolve("home"));
    host.imageId = FIRST.id().toString();
    SnapshotId id = host.capture(1, 3);
    push(FIRST, ONE);
    push(FIRST, TWO);
    SharedStore cable = new SharedStore(store);
    cable.putsMax = 2;
    assertThatThrownBy(() -> host.push(cable, id)).hasMessageContaining("cable");
    remove("box:two");
    List<String> before = store.records("");
    for (String address : List.of("box:one", FIRST.id().toString())) {
      assertRefused(address, "queue 'desk', which is uploading");
    }
    host.push(store, id);
    assertRefused("box:one", "of queue 'desk' lies on it");
    assertThat(store.records("")).containsAll(withoutUploads(before));

    new StoreRemoval(store).remove(TestHost.DESK, "latest");
    assertThat(remove("box:one").layers()).isEqualTo(2);
    assertThat(store.records("")).isEmpty();
  }

  @Test
  void ofAnUploadingImageNothingIsRemovedAndItKeepsTheLayersOfOthers() throws Exception {
    SharedStore cable = new SharedStore(store);
    push(FIRST, ONE);
    cable.putsMax = 0;
    assertThatThrownBy(() -> new ImagePush(cable).push(SECOND, TWO, TransferProgress.NONE))
        .hasMessageContaining("cable");
    assertRefused("box:two", "uploading");
    assertRefused(SECOND.id().toString(), "uploading");
    ImageRemoval.Result removed = remove("box:one");
    assertThat(removed.layers()).isZero();
    assertThat(removed.layersKept()).isTrue();
    assertThat(collect().deleted()).isZero();

    assertThat(push(SECOND, TWO).layersSent()).as("the base was there still").isEqualTo(1);
    assertThat(collect().deleted()).as("what the first one alone had").isPositive();
    assertThat(store.records("layers/sha256/")).hasSize(2);
    assertThat(remove("box:two").layers()).isEqualTo(2);
  }

  @Test
  void aLayerIsPutBackIfAnImageComesAtThatMoment() throws IOException {
    push(FIRST, ONE);
    List<String> layers = store.records("layers/");
    RemoteStore watched =
        (RemoteStore)
            Proxy.newProxyInstance(
                RemoteStore.class.getClassLoader(),
                new Class<?>[] {RemoteStore.class},
                (_, method, arguments) -> {
                  try {
                    if (method.getName().equals("deleteRecord")
                        && arguments[0].toString().startsWith("layers/")) {
                      store.replaceRecord(GIVEN_UP, new byte[] {1}, null);
                    }
                    return method.invoke(store, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
    ImageRemoval.Result removed = new ImageRemoval(watched).remove("box:one");
    assertThat(removed.layers()).isZero();
    assertThat(removed.layersKept()).isTrue();
    assertThat(store.records("layers/")).isEqualTo(layers);
  }

  private void assertRefused(String address, String why) {
    assertThatThrownBy(() -> remove(address))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining(why);
  }

  private static List<String> withoutUploads(List<String> records) {
    return records.stream().filter(record -> !record.contains("/upload/")).toList();
  }

  private static MadeImage image(String comment, byte[]... layers) {
    return new MadeImage(MadeImage.By.DOCKER_28, comment, List.of(layers));
  }

  private ImagePush.Result push(MadeImage image, ImageTag tag) throws IOException {
    return new ImagePush(store).push(image, tag, TransferProgress.NONE);
  }

  private ImageRemoval.Result remove(String address) throws IOException {
    return new ImageRemoval(store).remove(address);
  }

  private StoreCollection.Result collect() throws Exception {
    Thread.sleep(20); // The leases of the test's own pushes.
    return new StoreCollection(store, InstantSource.system(), (_, _) -> {})
        .run(StoreCollection.GRACE, TransferProgress.NONE);
  }
}
