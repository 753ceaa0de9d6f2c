package dev.regen.snapshot.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.remote.DirectoryRemote;
import dev.regen.snapshot.remote.Placement;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.ShardedStore;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A manifest that lies on one of two servers alone, which is away when the other is collected. */
final class CollectionServerAwayTest {
  private static final RepositoryName REPOSITORY = new RepositoryName("team/app");
  private static final byte[] BLOB = {1, 2, 3};
  private static final ContentDigest DIGEST = ContentDigest.Algorithm.SHA256.of(BLOB);

  private final AtomicBoolean firstIsAway = new AtomicBoolean();
  private final AtomicBoolean secondIsAway = new AtomicBoolean();
  private final FastClock clock = new FastClock(1);

  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path directory;

  @Test
  void nothingGoesWhileNobodyCanSayWhatIsNeeded() throws Exception {
    DirectoryRemote one = new DirectoryRemote(directory.resolve("1"), Long.MAX_VALUE);
    DirectoryRemote two = new DirectoryRemote(directory.resolve("2"), Long.MAX_VALUE);
    Placement placement =
        new Placement(
            List.of(new Placement.Server("1", 1, "1"), new Placement.Server("2", 1, "2")), 2);
    try (RemoteStore store =
        new ShardedStore(placement, List.of(away(one, firstIsAway), away(two, secondIsAway)))) {
      Registry registry = registry(store);
      push(registry);
      firstIsAway.set(true);
      byte[] manifest = manifest();
      registry
          .manifests()
          .put(REPOSITORY, ContentDigest.Algorithm.SHA256.of(manifest), null, manifest);
      firstIsAway.set(false);
      secondIsAway.set(true);
      clock.forward(Duration.ofDays(3));
      List<String> before = one.records("");

      assertThatThrownBy(() -> collect(store)).isInstanceOf(IOException.class);

      assertThat(one.records("")).isEqualTo(before);
      secondIsAway.set(false);
      assertThat(collect(store).blobs()).isZero();
      assertThat(registry(store).blobs().find(REPOSITORY, DIGEST)).isPresent();
    }
  }

  private RegistryCollection.Result collect(RemoteStore store) throws IOException {
    return new RegistryCollection(store, registry(store), clock)
        .run(_ -> Retention.ALL, TransferProgress.NONE);
  }

  private Registry registry(RemoteStore store) {
    return new Registry(store, clock, new SegmentBuffers(4), new SegmentBuffers(4));
  }

  private static void push(Registry registry) throws IOException {
    registry.make(REPOSITORY);
    String id = registry.uploads().begin(REPOSITORY, DIGEST.algorithm());
    ByteBuffer[] left = {ByteBuffer.wrap(BLOB), null};
    int[] at = {0};
    registry.uploads().append(REPOSITORY, id, 0, () -> left[at[0]++]);
    registry.uploads().finish(REPOSITORY, id, DIGEST);
  }

  private static byte[] manifest() {
    JsonObject layer =
        new JsonObject()
            .with("mediaType", "application/octet-stream")
            .with("digest", DIGEST.toString())
            .with("size", BLOB.length);
    return new JsonObject().with("schemaVersion", 2).with("layers", List.of(layer)).bytes();
  }

  private static RemoteStore away(RemoteStore store, AtomicBoolean isAway) {
    return (RemoteStore)
        Proxy.newProxyInstance(
            RemoteStore.class.getClassLoader(),
            new Class<?>[] {RemoteStore.class},
            (_, method, arguments) -> {
              if (isAway.get() && List.of(method.getExceptionTypes()).contains(IOException.class)) {
                throw new IOException("away");
              }
              try {
                return method.invoke(store, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
              }
            });
  }
}
