package dev.regen.snapshot.care;

import static dev.regen.snapshot.remote.RemoteStoreContract.bytes;
import static dev.regen.snapshot.remote.RemoteStoreContract.digest;
import static dev.regen.snapshot.remote.RemoteStoreContract.name;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.DirectoryRemote;
import dev.regen.snapshot.store.SealedRecord;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StoreCollectionTest {
  private static final Duration LEASE = Duration.ofMillis(1);

  @SuppressWarnings("NullAway.Init")
  private DirectoryRemote store;

  private final List<Duration> waited = new ArrayList<>();

  @BeforeEach
  void open(@TempDir Path directory) throws IOException {
    store = new DirectoryRemote(directory, Long.MAX_VALUE, LEASE);
  }

  @Test
  void whatNoRecordNamesGoesAfterTheGracePeriod() throws Exception {
    Digest digest = put(1);
    StoreCollection.Result result = collect(() -> {});
    assertThat(waited).containsExactly(Duration.ofMinutes(15));
    assertThat(result).isEqualTo(new StoreCollection.Result(1, 1, 0, 0, 0));
    assertThat(store.missing(Set.of(digest))).hasSize(1);
  }

  @Test
  void whatSomebodyAsksAboutMeanwhileStays(@TempDir Path other) throws Exception {
    store.close();
    store = new DirectoryRemote(other, Long.MAX_VALUE, Duration.ofSeconds(2));
    Digest digest = put(1);
    StoreCollection.Result result = collect(() -> store.missing(Set.of(digest)));
    assertThat(result).isEqualTo(new StoreCollection.Result(1, 0, 1, 0, 0));
    assertThat(store.chunkCount()).isEqualTo(1);
  }

  @Test
  void aRecordOfAnUnknownKindKeepsEverything() throws Exception {
    put(1);
    store.replaceRecord("volumes/new/thing", new byte[1], null);
    assertThatThrownBy(() -> collect(() -> {}))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining("volumes/new/thing");
    assertThat(store.chunkCount()).isEqualTo(1);
  }

  @Test
  void aRecordThatCannotBeReadKeepsEverything() throws Exception {
    put(1);
    String id = "a".repeat(32);
    store.replaceRecord(
        "queues/desk/snapshots/" + id + "/000001-" + "b".repeat(16), new byte[10], null);
    assertThatThrownBy(() -> collect(() -> {}))
        .isInstanceOf(RegenException.Damaged.class)
        .hasMessageContaining("desk@aaaa");
    assertThat(store.chunkCount()).isEqualTo(1);
  }

  @Test
  void aRecordThatComesInTheGracePeriodKeepsEverythingToo() throws Exception {
    put(1);
    assertThatThrownBy(() -> collect(() -> store.replaceRecord("volumes/x", new byte[1], null)))
        .isInstanceOf(RegenException.Refused.class);
    assertThat(store.chunkCount()).isEqualTo(1);
  }

  @Test
  void anImageThatIsBeingPushedKeepsEverythingAndOneThatWasGivenUpIsForgotten() throws Exception {
    put(1);
    String upload = "images/upload/sha256/" + "a".repeat(64);
    Instant now = InstantSource.system().instant();
    store.replaceRecord(upload, upload(now.minus(Duration.ofHours(23))), null);
    assertThat(collect(() -> {})).isEqualTo(new StoreCollection.Result(1, 0, 1, 0, 1));
    assertThat(store.chunkCount()).isEqualTo(1);

    store.replaceRecord(upload, upload(now.minus(Duration.ofHours(25))), null);
    assertThat(collect(() -> store.replaceRecord(upload, upload(now), null)))
        .as("it goes on after all")
        .isEqualTo(new StoreCollection.Result(1, 0, 1, 0, 1));
    store.replaceRecord(upload, upload(now.minus(Duration.ofHours(25))), null);
    assertThat(collect(() -> {})).isEqualTo(new StoreCollection.Result(1, 1, 0, 1, 0));
    assertThat(store.records("")).isEmpty();
  }

  private static byte[] upload(Instant renewedAt) {
    return SealedRecord.seal(1, new JsonObject().with("renewedAt", renewedAt));
  }

  private interface Meanwhile {
    void happens() throws IOException;
  }

  private StoreCollection.Result collect(Meanwhile meanwhile) throws Exception {
    Thread.sleep(20); // The lease of the test's own put.
    return new StoreCollection(
            store,
            InstantSource.system(),
            (time, _) -> {
              waited.add(time);
              meanwhile.happens();
            })
        .run(StoreCollection.GRACE, TransferProgress.NONE);
  }

  private Digest put(long seed) throws IOException {
    byte[] chunk = bytes(seed, 1000);
    store.put(name(digest(chunk), 1000), ByteBuffer.wrap(chunk));
    return digest(chunk);
  }
}
