package dev.regen.snapshot.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.DirectoryRemote;
import dev.regen.snapshot.transfer.SharedStore;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Images that share layers, are interrupted on their way, or are damaged in the store. */
final class ImagesInAStoreTest {
  private static final byte[] LARGE = MadeImage.bytes(1, 9 << 20);
  private static final byte[] SMALL = MadeImage.bytes(2, 10_240);
  private static final ImageTag NAME = new ImageTag("box", "two");

  @TempDir private Path directory;
  private DirectoryRemote stored;
  private SharedStore store;
  private RemoteImages remote;
  private final TakingEngine engine = new TakingEngine();

  @BeforeEach
  void open() throws IOException {
    stored = new DirectoryRemote(directory.resolve("store"), Long.MAX_VALUE);
    store = new SharedStore(stored);
    remote = new RemoteImages(store);
  }

  @AfterEach
  void close() {
    stored.close();
  }

  @ParameterizedTest
  @EnumSource
  void whatIsPulledIsByteForByteWhatTheEngineSaved(MadeImage.By by) throws IOException {
    MadeImage image = new MadeImage(by, "a", List.of(LARGE, SMALL));
    push(image);

    ImagePull.Result pulled = pull(0);

    assertThat(pulled.ids()).contains(image.id());
    for (int i = 0; i < 2; i++) {
      assertThat(engine.files.get("blobs/sha256/" + image.blobs.get(i).hex()))
          .isEqualTo(image.blobBytes(i));
    }
    JsonObject manifest = manifest();
    assertThat(manifest.strings("Layers"))
        .containsExactlyElementsOf(
            image.blobs.stream().map(blob -> "blobs/sha256/" + blob.hex()).toList());
    assertThat(engine.files.get(manifest.string("Config")))
        .isEqualTo(MadeImage.config("a", image.diffIds()));
    assertThat(engine.files).containsKeys("index.json", "oci-layout");
    assertThat(push(image).there()).isTrue();
    assertThat(image.saved).as("what is there is not asked for again").isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource
  void aLayerOfTwoImagesIsStoredOnceAndWhatTwoLayersShareToo(MadeImage.By by) throws IOException {
    push(new MadeImage(by, "a", List.of(LARGE, SMALL)));
    int puts = store.puts.get();
    byte[] moved = Arrays.copyOf(MadeImage.bytes(3, 700), 700 + LARGE.length);
    System.arraycopy(LARGE, 0, moved, 700, LARGE.length);

    ImagePush.Result second = push(new MadeImage(by, "b", List.of(LARGE, moved)));

    assertThat(second.layersSent()).isEqualTo(1);
    assertThat(stored.records("layers/sha256/")).hasSize(3);
    assertThat(store.puts.get() - puts).isEqualTo(second.chunks());
    if (by != MadeImage.By.CONTAINERD) { // Gzip hides what is in it.
      assertThat(second.bytes()).isLessThan(LARGE.length / 2);
    }
    assertThat(remote.tags()).hasSize(1).containsKey(NAME);
    Set<Digest> needed = new HashSet<>();
    remote.chunks(needed::add);
    List<Digest> all = new ArrayList<>();
    stored.list(all::add);
    assertThat(all)
        .as("each chunk is needed by a layer")
        .containsExactlyInAnyOrderElementsOf(needed);
  }

  @Test
  void anInterruptedPushIsUploadingAndSendsTheRestWhenItIsRunAgain() throws IOException {
    MadeImage image = new MadeImage(MadeImage.By.DOCKER_20, "a", List.of(LARGE, SMALL));
    store.putsMax = 4;
    assertThatThrownBy(() -> push(image)).hasMessageContaining("the cable is cut");
    for (String address : List.of(NAME.toString(), image.id().toString())) {
      assertThatThrownBy(() -> remote.find(address))
          .isInstanceOf(RegenException.Refused.class)
          .hasMessageContaining("uploading");
    }
    assertThat(stored.records("images/sha256/")).isEmpty();
    List<Digest> there = new ArrayList<>();
    stored.list(there::add);

    store.putsMax = Integer.MAX_VALUE;
    store.puts.set(0);
    ImagePush.Result result = push(image);

    List<Digest> all = new ArrayList<>();
    stored.list(all::add);
    assertThat(there).isNotEmpty();
    assertThat(store.puts.get()).isEqualTo(result.chunks()).isEqualTo(all.size() - there.size());
    assertThat(remote.uploads()).isEmpty();
    assertThat(remote.find("box:two").id()).isEqualTo(image.id());
  }

  @Test
  void aLayerAsLongAsOneInTheStoreIsNotTakenForIt() throws IOException {
    push(new MadeImage(MadeImage.By.DOCKER_20, "a", List.of(LARGE)));
    byte[] other = MadeImage.bytes(4, LARGE.length);

    ImagePush.Result result =
        push(new MadeImage(MadeImage.By.DOCKER_20, "b", List.of(LARGE, other)));

    assertThat(result.layersSent()).isEqualTo(1);
    pull(0);
    assertThat(engine.files.values()).anyMatch(file -> Arrays.equals(file, other));
  }

  @Test
  void layersThatTheEngineHasAreLeftOutUnlessItWantsThemAfterAll() throws IOException {
    MadeImage image = new MadeImage(MadeImage.By.DOCKER_28, "a", List.of(LARGE, SMALL));
    push(image);

    ImagePull.Result less = pull(1);
    assertThat(less.layersFetched()).isEqualTo(1);
    assertThat(less.bytes()).isLessThan(LARGE.length / 10);
    assertThat(manifest().strings("Layers")).hasSize(2);

    engine.wanted = Set.of("blobs/sha256/" + image.blobs.getFirst().hex());
    engine.loads = 0;
    assertThat(pull(1).layersFetched()).isEqualTo(2);
    assertThat(engine.loads).isEqualTo(2);
  }

  @Test
  void aChunkThatTheStoreDamagedIsNeverLoadedAndSentAgain() throws IOException {
    MadeImage image = new MadeImage(MadeImage.By.DOCKER_28, "a", List.of(LARGE, SMALL));
    push(image);
    Digest chunk = remote.layer(image.blobs.getFirst()).orElseThrow().chunks().get(3).digest();
    damage(chunk);

    assertThatThrownBy(() -> pull(0)).isInstanceOf(RegenException.Damaged.class);
    assertThat(engine.files).isEmpty();

    ImagePush.Result again = push(image);
    assertThat(again.there()).isFalse();
    assertThat(again.chunks()).as("that chunk alone").isEqualTo(1);
    pull(0);
    assertThat(engine.files).isNotEmpty();
    assertThat(push(image).there()).isTrue();
  }

  private ImagePush.Result push(MadeImage image) throws IOException {
    return new ImagePush(store).push(image, NAME, TransferProgress.NONE);
  }

  private ImagePull.Result pull(int here) throws IOException {
    StoredImage image = remote.find(NAME.toString());
    return new ImagePull(store).pull(image, here, engine, TransferProgress.NONE);
  }

  private JsonObject manifest() throws IOException {
    String json =
        new String(engine.files.getOrDefault("manifest.json", new byte[0]), StandardCharsets.UTF_8);
    return JsonObject.parse("{\"all\":" + json + "}").objects("all").getFirst();
  }

  private void damage(Digest chunk) throws IOException {
    try (var files = Files.walk(directory)) {
      for (Path file : files.filter(path -> path.endsWith(chunk.hex())).toList()) {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
      }
    }
  }
}
