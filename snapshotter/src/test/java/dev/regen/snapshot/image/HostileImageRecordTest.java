package dev.regen.snapshot.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.DirectoryRemote;
import dev.regen.snapshot.store.ChunkListCodec;
import dev.regen.snapshot.store.SealedRecord;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A store whose records say what is not so: the engine must not see a byte that could harm. */
final class HostileImageRecordTest {
  private static final ImageTag NAME = new ImageTag("box", "latest");
  private static final Digest OTHER = Digest.of(ByteBuffer.allocate(3));

  @TempDir private Path directory;
  private DirectoryRemote store;
  private RemoteImages remote;
  private final TakingEngine engine = new TakingEngine();

  @BeforeEach
  void open() throws IOException {
    store = new DirectoryRemote(directory.resolve("store"), Long.MAX_VALUE);
    remote = new RemoteImages(store);
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void aLayerOfTheRightLengthAndOtherBytesEndsTheLoad() throws IOException {
    MadeImage image = pushed("a", MadeImage.bytes(1, 3 << 20));
    MadeImage other = pushed("b", MadeImage.bytes(2, 3 << 20));
    Digest layer = image.blobs.getFirst();
    StoredLayer wrong = remote.layer(other.blobs.getFirst()).orElseThrow();
    store.deleteRecord(store.records("layers/sha256/" + layer.hex()).getFirst());
    remote.complete(new StoredLayer(layer, wrong.sizeBytes(), wrong.chunks()));
    StoredImage stored = remote.image(image.id()).orElseThrow();

    assertThatThrownBy(() -> new ImagePull(store).pull(stored, 0, engine, TransferProgress.NONE))
        .isInstanceOf(RegenException.Damaged.class)
        .hasMessageContaining("other bytes of layer");
    assertThat(engine.files).isEmpty();
  }

  @Test
  void anImageWhoseDocumentIsAnotherIsNotThere() throws IOException {
    MadeImage image = pushed("a", MadeImage.bytes(1, 1000));
    byte[] config = MadeImage.config("another", image.diffIds());
    image(OTHER, config);

    assertThatThrownBy(() -> remote.find(OTHER.toString()))
        .isInstanceOf(RegenException.NotFound.class);
  }

  @Test
  void moreLayersThanAnyImageHasAreRefused() throws IOException {
    byte[] config =
        MadeImage.config("many", Collections.nCopies(ImageContent.LAYERS_MAX + 1, OTHER));
    Digest id = Digest.of(ByteBuffer.wrap(config));
    image(id, config);

    assertThat(remote.image(id)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "[]",
        "{\"rootfs\":{\"diff_ids\":[\"../../etc/passwd\"]}}",
        "{\"rootfs\":{\"diff_ids\":[\"sha256:../../../etc\"]}}",
        "{\"rootfs\":{\"diff_ids\":\"x\"}}",
        "{\"manifests\":[{\"digest\":\"sha256:00\"}]}",
        "{\"manifests\":[]}",
        "{\"config\":{},\"layers\":[]}",
        "{\"config\":{\"digest\":7},\"layers\":[]}"
      })
  void aDocumentThatIsNoImagesIsNotThere(String document) throws IOException {
    byte[] bytes = document.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    Digest id = Digest.of(ByteBuffer.wrap(bytes));
    image(id, bytes);

    assertThat(remote.image(id)).isEmpty();
  }

  @Test
  void aLayerWhoseChunksDoNotMakeItsLengthIsNotThere() throws IOException {
    Chunk chunk = new Chunk(OTHER, 10, 100);
    for (long size : new long[] {0, 99, 101, Long.MAX_VALUE, -1}) {
      layer(OTHER, size, List.of(chunk));
    }
    layer(OTHER, 0, List.of());

    assertThat(remote.layer(OTHER)).isEmpty();
    assertThatThrownBy(() -> remote.chunks(_ -> {})).isInstanceOf(RegenException.Damaged.class);
  }

  @Test
  void aNameThatIsNoneIsPassedOver() throws IOException {
    MadeImage image = pushed("a", MadeImage.bytes(1, 1000));
    String record = "tags/" + OTHER.hex() + "/000001-0123456789abcdef";
    for (String name : List.of("../x", "-v", "BOX", "other:latest", "")) {
      byte[] bytes =
          SealedRecord.seal(1, new JsonObject().with("name", name).with("id", image.id().hex()));
      store.replaceRecord(record, bytes, null);

      assertThat(remote.tags()).containsOnlyKeys(NAME);
    }
  }

  @Test
  void namesAreReadAsDockerReadsThem() {
    for (String[] pair :
        List.of(
            new String[] {"box", "box:latest"},
            new String[] {"docker.io/library/box:1", "box:1"},
            new String[] {"docker.io/team/box", "team/box:latest"},
            new String[] {"registry:5000/a/b_c:V1.2", "registry:5000/a/b_c:V1.2"},
            new String[] {"reg.example.com/a", "reg.example.com/a:latest"})) {
      assertThat(ImageTag.parse(pair[0]).map(ImageTag::toString)).contains(pair[1]);
    }
    for (String none :
        List.of("", "Box", "a//b", "box:", "sha256:" + OTHER.hex(), OTHER.hex(), "b@" + OTHER)) {
      assertThat(ImageTag.parse(none)).as(none).isEmpty();
    }
  }

  private MadeImage pushed(String comment, byte[] layer) throws IOException {
    MadeImage image = new MadeImage(MadeImage.By.DOCKER_28, comment, List.of(layer));
    new ImagePush(store).push(image, NAME, TransferProgress.NONE);
    return image;
  }

  private void image(Digest id, byte[] document) throws IOException {
    JsonObject json =
        new JsonObject()
            .with("id", id.hex())
            .with("sizeBytes", 1)
            .with(
                "documents",
                new ArrayList<>(List.of(Base64.getEncoder().encodeToString(document))));
    put("images/sha256/" + id.hex(), json);
  }

  private void layer(Digest digest, long size, List<Chunk> chunks) throws IOException {
    JsonObject json =
        new JsonObject()
            .with("digest", digest.hex())
            .with("sizeBytes", size)
            .with("chunks", ChunkListCodec.encode(chunks));
    put("layers/sha256/" + digest.hex(), json);
  }

  private void put(String directory, JsonObject json) throws IOException {
    byte[] bytes = SealedRecord.seal(1, json);
    String tag = Digest.of(ByteBuffer.wrap(bytes)).hex().substring(0, 16);
    store.replaceRecord(directory + "/" + tag, bytes, null);
  }
}
