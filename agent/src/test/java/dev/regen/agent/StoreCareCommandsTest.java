package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.storage.StorageOptions;
import dev.regen.agent.storage.StorageProcess;
import dev.regen.agent.storage.StorageServer;
import dev.regen.agent.storage.TestCertificate;
import dev.regen.agent.tcp.Listening;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.image.ImagePush;
import dev.regen.snapshot.image.ImageTag;
import dev.regen.snapshot.image.LocalImage;
import dev.regen.snapshot.remote.DirectoryRemote;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.StoreUrl;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * What the command line does to stores: {@code rm}, {@code collect}, {@code rebalance}; and TLS.
 */
final class StoreCareCommandsTest extends TwoHosts {
  private static final Duration LEASE = Duration.ofMillis(300);

  private final List<StorageServer> servers = new ArrayList<>();

  @AfterEach
  void stopServers() throws IOException {
    for (StorageServer server : servers) {
      server.close();
    }
  }

  @Test
  void whatIsRemovedFromAStoreIsGoneThereAloneAndWhatOthersNeedStays() throws Exception {
    String store = server(null, null, null);
    importFiles("desk", 1, 30, 30_000);
    done(regen("push", "desk", "--store", store, "--json"));
    int before = chunks(0);
    Files.writeString(directory.resolve("tree/d3/f3"), "changed");
    importTree("desk", directory.resolve("tree"));
    done(regen("push", "desk", "--store", store, "--json"));
    assertThat(chunks(0)).isGreaterThan(before);
    Thread.sleep(LEASE.multipliedBy(3));

    Result removed = regen("rm", "desk@-1", "--store", store);
    assertThat(removed.code()).as(removed.err()).isZero();
    assertThat(removed.out()).contains("removed from the store", "chunks deleted");
    assertThat(chunks(0)).isLessThan(before + 5);
    assertThat(array(regen("ls", "desk", "--json"))).hasSize(2);
    assertThat(array(regen("ls", "desk", "--store", store, "--json"))).hasSize(1);
    done(other("pull", "desk", "--store", store, "--json"));
    assertSameLayer("desk");

    assertThat(regen("rm", "desk", "--store", store).code()).as("which one?").isEqualTo(2);
    assertThat(regen("rm", "desk@-5", "--store", store).code()).isEqualTo(3);
    assertThat(regen("rm", "--queue", "none", "--store", store).code()).isEqualTo(3);
    Thread.sleep(LEASE.multipliedBy(3));
    assertThat(regen("rm", "--queue", "desk", "--store", store).code()).isZero();
    assertThat(chunks(0)).isZero();
    assertThat(regen("events").out()).contains("store-changed");
  }

  @Test
  void whatIsLeasedWhenItIsRemovedIsLeftToACollection() throws Exception {
    String store = "dir:" + directory.resolve("store");
    importFiles("desk", 1, 10, 30_000);
    done(regen("push", "desk", "--store", store, "--json"));
    Result removed = regen("rm", "desk@latest", "--store", store);
    assertThat(removed.code()).as(removed.err()).isZero();
    assertThat(removed.out()).contains("left for 'regen storage collect'");
    JsonObject collected =
        done(regen("storage", "collect", "--store", store, "--grace", "0", "--json"));
    assertThat(collected.number("deleted")).as("a directory leases all at first").isZero();
    assertThat(collected.number("left")).isEqualTo(collected.number("chunks")).isPositive();

    String served = server(null, null, null);
    done(regen("push", "desk", "--store", served, "--json"));
    int all = chunks(0);
    assertThat(regen("rm", "desk@latest", "--store", served).code()).isZero();
    assertThat(regen("storage", "collect", "--store", served, "--grace", "1").out())
        .contains(all + " of " + all + " chunks deleted");
    assertThat(chunks(0)).isZero();
    assertThat(regen("storage", "collect", "--store", "dir:/nowhere/at/all").code()).isEqualTo(3);
    assertThat(regen("storage").code()).isEqualTo(2);
  }

  @Test
  void anImageIsRemovedByItsNameAndTheExitCodeSaysWhyNot() throws Exception {
    Path stored = directory.resolve("store");
    String url = "dir:" + stored;
    LocalImage image = image();
    try (DirectoryRemote store = new DirectoryRemote(stored, Long.MAX_VALUE)) {
      new ImagePush(store).push(image, new ImageTag("box", "one"), TransferProgress.NONE);
      store.replaceRecord("images/upload/sha256/" + "a".repeat(64), new byte[] {1}, null);
    }
    assertThat(regen("rm", "box:two", "--store", url).code()).isEqualTo(3);
    assertThat(regen("rm", "--image", "a".repeat(12), "--store", url).code()).isEqualTo(4);
    assertThat(regen("rm", "box:one").code()).as("of which store?").isEqualTo(2);
    assertThat(regen("rm", "--queue", "box:one", "--store", url).code()).isEqualTo(2);

    Result removed = regen("rm", "box:one", "--store", url);
    assertThat(removed.code()).as(removed.err()).isZero();
    assertThat(removed.out()).contains("image box:one removed", "0 layers", "is being pushed");
    assertThat(regen("rm", "--image", image.id().hex(), "--store", url).code()).isEqualTo(3);
    assertThat(regen("ls", "--store", url).out()).doesNotContain("box:one");
    assertThat(regen("events").out()).contains("image box:one removed");
  }

  @Test
  void aServerThatIsAddedGetsItsShare() throws Exception {
    importFiles("desk", 1, 120, 60_000);
    String three =
        server(null, null, null) + "," + server(null, null, null) + "," + server(null, null, null);
    done(regen("push", "desk", "--store", three, "--json"));
    String four = three + "," + server(null, null, null);
    Thread.sleep(LEASE.multipliedBy(3));
    int all = chunks(0) + chunks(1) + chunks(2);

    Result result = regen("storage", "rebalance", "--store", four, "--json");
    JsonObject done = done(result);

    assertThat(done.number("moved")).isEqualTo(chunks(3)).isBetween(all / 12L, all / 2L);
    assertThat(chunks(0) + chunks(1) + chunks(2) + chunks(3)).isEqualTo(all);
    assertThat(result.err()).contains("chunksExpected");
    done(other("pull", "desk", "--store", four, "--json"));
    assertSameLayer("desk");
    assertThat(regen("storage", "rebalance", "--store", four).out()).contains("0 copies moved");
    assertThat(regen("storage", "rebalance", "--store", servers.getFirst().uri().toString()).code())
        .as("a store that is one")
        .isEqualTo(2);
  }

  @Test
  void overTlsWithATokenOnlyWhoKnowsBothPushesAndPulls() throws Exception {
    TestCertificate.make(directory, "server");
    TestCertificate.make(directory, "other");
    Path token = secret("token", "a-token-of-the-test");
    Path wrong = secret("wrong", "another-token-of-it");
    String base =
        server(
            "a-token-of-the-test",
            directory.resolve("server.crt"),
            directory.resolve("server.key"));
    String trusted = "?ca-file=" + directory.resolve("server.crt");
    String store = base + trusted + "&token-file=" + token;
    assertThat(store).startsWith("https://");
    importFiles("desk", 1, 20, 30_000);

    done(regen("push", "desk", "--store", store, "--json"));
    done(other("pull", "desk", "--store", store, "--json"));
    assertSameLayer("desk");
    assertThat(other("pull", "desk", "--store", base + trusted + "&token-file=" + wrong).code())
        .isEqualTo(4);
    assertThat(other("pull", "desk", "--store", base + trusted).code()).isEqualTo(4);
    Result untrusted =
        other(
            "pull",
            "desk",
            "--store",
            base + "?ca-file=" + directory.resolve("other.crt") + "&token-file=" + token);
    assertThat(untrusted.code()).isEqualTo(1);
    assertThat(untrusted.err()).contains("no TLS", "ca-file").doesNotContain("Exception");
  }

  @Test
  void aRecordOf64MebibytesOfNothingDoesNotTakeAnAgentsMemory() throws Exception {
    String store = server(null, null, null);
    importFiles("desk", 1, 10, 1000);
    done(regen("push", "desk", "--store", store, "--json"));
    StringBuilder hostile = new StringBuilder("{\"version\":1,\"content\":{\"a\":[");
    hostile.repeat("{},", (63 << 20) / 3).append("{}]}}");
    String name = "queues/desk/snapshots/" + "0".repeat(32) + "/000009-" + "0".repeat(16);
    try (RemoteStore direct = StoreUrl.parse(store).open(false)) {
      byte[] bytes = hostile.toString().getBytes(StandardCharsets.US_ASCII);
      assertThat(direct.replaceRecord(name, bytes, null)).isTrue();
    }
    stopOther();
    Process small = startOtherAsProcess();
    try {
      assertThat(array(other("ls", "--store", store, "--json"))).hasSize(1);
      done(other("pull", "desk", "--store", store, "--json"));
      Result kept = other("storage", "collect", "--store", store, "--grace", "0");
      assertThat(kept.code()).isEqualTo(1);
      assertThat(kept.err()).contains("desk@0000", "nothing is collected");
    } finally {
      kill(small);
    }
    startOther();
  }

  /** One of an empty layer, as {@code docker save} gives it. */
  private LocalImage image() throws Exception {
    byte[] layer = new byte[1024];
    Digest diffId = Digest.of(ByteBuffer.wrap(layer));
    JsonObject rootfs = new JsonObject().with("diff_ids", List.of(diffId.toString()));
    byte[] config = new JsonObject().with("rootfs", rootfs).bytes();
    Digest id = Digest.of(ByteBuffer.wrap(config));
    Path blobs = Files.createDirectories(directory.resolve("saved/blobs/sha256"));
    Files.write(blobs.resolve(diffId.hex()), layer);
    Files.write(blobs.resolve(id.hex()), config);
    Path tar = directory.resolve("saved.tar");
    new ProcessBuilder("tar", "-C", directory + "/saved", "-cf", tar.toString(), "blobs")
        .inheritIO()
        .start()
        .waitFor();
    return new LocalImage() {
      @Override
      public Digest id() {
        return id;
      }

      @Override
      public List<Digest> diffIds() {
        return List.of(diffId);
      }

      @Override
      public long sizeBytes() {
        return layer.length;
      }

      @Override
      public InputStream save() throws IOException {
        return Files.newInputStream(tar);
      }
    };
  }

  private Path secret(String name, String content) throws IOException {
    Path file = directory.resolve(name);
    Files.writeString(file, content + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    return file;
  }

  private int chunks(int server) throws IOException {
    return StorageProcess.chunkCount(directory.resolve("stored-" + server));
  }

  private String server(@Nullable String token, @Nullable Path certificate, @Nullable Path key)
      throws IOException {
    StorageServer server =
        new StorageServer(
            new StorageOptions(
                new Listening(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                    certificate,
                    key,
                    null),
                directory.resolve("stored-" + servers.size()),
                Long.MAX_VALUE,
                token),
            LEASE);
    servers.add(server);
    return server.uri().toString();
  }
}
