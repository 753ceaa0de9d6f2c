package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.registry.ManagerOptions;
import dev.regen.agent.registry.ManagerServer;
import dev.regen.agent.tcp.Listening;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** A snapshot runs on a host that has never heard of Regen, and is read by others' tools. */
@EngineTest
final class PublishEngineTest {
  private static final String LOOK =
      "cat /root/notes; ls /lower; stat -c '%h %u:%g' /root/same /var/data; sha256sum /var/data;"
          + " ls -d /root/later 2>/dev/null; true";

  private static final String PID = "--format={{.State.Pid}}";
  private static final String SECRET = "TOP-SECRET";

  // Layers of an image, and a snapshot on it. The secret stands in no command line.
  private static final String FIRST =
      "printf '%s-%s' TOP SECRET >/root/secret; mkdir -p /var/lib/a; echo a >/var/lib/a/x;"
          + " echo linked >/root/first; ln /root/first /root/second; mkfifo /root/fifo;"
          + " echo s >/root/suid; chown 7:8 /root/suid; chmod 4755 /root/suid; echo c >/root/changed";
  private static final String SECOND =
      "rm /root/secret /root/first; rm -r /var/lib/a; mkdir /var/lib/a; echo b >/var/lib/a/y;"
          + " rm /lower/deleted; ln -s ../nowhere /lower/deleted; chown 9:9 /lower";
  private static final String THIRD =
      "rm -r /var/lib/a; echo file >/var/lib/a; rm /lower/deleted; mkdir /lower/deleted;"
          + " echo more >>/root/changed; chmod 600 /root/changed; ln /root/changed /lower/same;"
          + " dd if=/dev/urandom of=/root/data bs=1M count=3 2>/dev/null; touch -d @1 /root/data";

  /**
   * Without what the engine itself puts into a root, and without the links of a file of which the
   * image had removed another name: overlayfs counts that one still.
   */
  private static final String SEEN =
      """
      export LC_ALL=C
      find bin root lower tmp var -printf '%p|%y|%m|%U|%G|%T@|%l\\n' | sort
      find root lower tmp var -type f -print0 | sort -z | xargs -0 sha256sum
      find root lower tmp var -print0 | sort -z | xargs -0 getfattr -h -d -m - -e hex
      stat -c '%n %h' root/changed lower/same
      """;

  private final Host here;

  PublishEngineTest(Host here) {
    this.here = here;
  }

  @Test
  void aPublishedSnapshotRunsElsewhereWithAllThatItsContainerHadChanged() throws Exception {
    here.desk(
            "desk",
            "echo one >/root/notes; rm /lower/deleted; ln /root/notes /root/same; mkdir /var;"
                + " dd if=/dev/urandom of=/var/data bs=1M count=5 2>/dev/null;"
                + " chown 7:8 /var/data")
        .ok();
    here.awaitIdle();
    String had = here.desk("desk", LOOK + "; echo two >/root/later").ok();
    here.awaitIdle();
    try (StorageProcess storage = new StorageProcess(here);
        ManagerServer manager = manager(storage)) {
      String image = manager.uri().getAuthority() + "/team/desk:yesterday";
      for (String layer : List.of("gzip", "tar")) {
        String said = publish(storage, "desk@-1", image, "--layer=" + layer).ok();

        assertThat(said).contains(image + " is published, as sha256:").contains(": 2 layers, ");
        assertThat(ranElsewhere(image)).as(layer).isEqualTo(had);
      }
      itIsReadByOthersTools(storage, manager);
      whatIsNotThereIsToldInWords(storage, manager);
    }
  }

  @Test
  void squashedItIsOneLayerOfTheSameTreeWithoutWhatWasDeleted() throws Exception {
    here.docker("run", "--name=one", "--network=none", Host.IMAGE, "sh", "-c", FIRST).ok();
    here.docker("commit", "one", "first").ok();
    here.docker("run", "--name=two", "--network=none", "first", "sh", "-c", SECOND).ok();
    here.docker("commit", "--change", "CMD [\"sh\"]", "--change", "ENV A=b", "two", "second").ok();
    String[] run = {"run", "-d", "--rm", "--runtime=regen", "--network=none", "--name=squashed"};
    List<String> words = new ArrayList<>(List.of(run));
    words.addAll(List.of("second", "sh", "-c", THIRD + "; touch /tmp/done; exec sleep 100"));
    here.docker(words.toArray(new String[0])).ok();
    Path root = Path.of("/proc", pid(here.docker("inspect", PID, "squashed").ok()), "root");
    Host.await("the third layer", () -> Files.exists(root.resolve("tmp/done")));
    attributes(root.resolve("root/changed")).write("color", ByteBuffer.wrap(new byte[] {0, 7}));
    here.docker("stop", "-t", "0", "squashed").ok();
    here.awaitIdle();
    try (StorageProcess storage = new StorageProcess(here);
        ManagerServer manager = manager(storage)) {
      String ordinary = manager.uri().getAuthority() + "/team/squashed:ordinary";
      publish(storage, "squashed", ordinary, "--layer=gzip").ok();
      try (Pulled expected = new Pulled(ordinary)) {
        assertThat(expected.saved()).as("this test looks for the right thing").contains(SECRET);
        for (String layer : List.of("--layer=gzip", "--layer=tar")) {
          String image = manager.uri().getAuthority() + "/team/squashed:" + layer.substring(8);
          String said =
              here.regen("publish", "squashed", image, "--no-push", "--squash", layer).ok();

          assertThat(said).contains(": 1 layer, ").contains("merged by the manager");
          try (Pulled pulled = new Pulled(image)) {
            assertThat(pulled.layers()).isEqualTo("1");
            assertThat(pulled.seen()).isEqualTo(expected.seen());
            assertThat(pulled.config()).isEqualTo(expected.config());
            assertThat(pulled.saved()).doesNotContain(SECRET);
          }
        }
      }
    }
  }

  private static String pid(String said) {
    return said.strip();
  }

  /** An image that the engine of this computer has pulled, until it is closed. */
  private record Pulled(String image) implements AutoCloseable {
    Pulled {
      try {
        run("docker", "pull", image);
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }

    String layers() throws Exception {
      return run("docker", "image", "inspect", "--format", "{{len .RootFS.Layers}}", image);
    }

    String config() throws Exception {
      return run("docker", "image", "inspect", "--format", "{{json .Config}}", image);
    }

    String saved() throws Exception {
      return run("sh", "-c", "docker save " + image + " | grep -aoE 'TOP-[A-Z]+' | sort -u");
    }

    /** Each file with owner, mode, size, time, content and attributes, as a container has it. */
    String seen() throws Exception {
      String id = run("docker", "run", "-d", "--network=none", image, "sleep", "100");
      try {
        String root = "/proc/" + pid(run("docker", "inspect", PID, id)) + "/root/";
        return run("sh", "-c", "cd " + root + "; " + SEEN);
      } finally {
        run("docker", "rm", "--force", id);
      }
    }

    @Override
    public void close() throws IOException {
      try {
        Command.run(Map.of(), "docker", "rmi", "--force", image);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** By the engine of this computer, which is another than the test host's. */
  private static String ranElsewhere(String image) throws Exception {
    try {
      return run("docker", "run", "--rm", "--network=none", image, "sh", "-c", LOOK);
    } finally {
      Command.run(Map.of(), "docker", "rmi", "--force", image);
    }
  }

  /** skopeo unpacks zstd, which this engine does not know, and umoci compares what is in it. */
  private void itIsReadByOthersTools(StorageProcess storage, ManagerServer manager)
      throws Exception {
    aFileIsMarked();
    String image = manager.uri().getAuthority() + "/team/desk:zstd";
    here.regen("push", "desk", "--store", storage.url()).ok();
    long before = chunks(storage);
    JsonObject published = JsonObject.parse(publish(storage, "desk", image, "--json").ok());
    assertThat(chunks(storage) - before).as("the configuration alone").isEqualTo(1);
    Path oci = here.shared().resolve("oci");
    Path bundle = here.shared().resolve("bundle");

    run(
        "skopeo",
        "copy",
        "--src-tls-verify=false",
        "--dest-compress-format=gzip",
        "docker://" + image,
        "oci:" + oci + ":desk");
    run("umoci", "unpack", "--image", oci + ":desk", bundle.toString());

    assertThat(run("skopeo", "inspect", "--tls-verify=false", "docker://" + image))
        .contains(published.string("digest"));
    Path root = bundle.resolve("rootfs");
    assertThat(root.resolve("root/notes")).hasContent("one");
    ByteBuffer color = ByteBuffer.allocate(9);
    assertThat(attributes(root.resolve("root/marked")).read("color", color)).isEqualTo(2);
    assertThat(color.array()).startsWith(0, 7);
    assertThat(root.resolve("root/later")).hasContent("two");
    assertThat(root.resolve("lower/deleted")).doesNotExist();
    assertThat(Files.getAttribute(root.resolve("root/same"), "unix:nlink")).isEqualTo(2);
    assertThat(Files.getAttribute(root.resolve("var/data"), "unix:gid")).isEqualTo(8);
  }

  /** With an extended attribute, which the image has no tool for. */
  private void aFileIsMarked() throws Exception {
    here.docker(
            "run",
            "-d",
            "--rm",
            "--runtime=regen",
            "--network=none",
            "--name=desk",
            Host.IMAGE,
            "sh",
            "-c",
            "echo marked >/root/marked; exec sleep 100")
        .ok();
    String pid = here.docker("inspect", "--format", "{{.State.Pid}}", "desk").ok();
    Path marked = Path.of("/proc", pid, "root/root/marked");
    Host.await("the file", () -> Files.exists(marked));
    attributes(marked).write("color", ByteBuffer.wrap(new byte[] {0, 7}));
    here.docker("stop", "-t", "0", "desk").ok();
    here.awaitIdle();
  }

  private static UserDefinedFileAttributeView attributes(Path file) {
    return Objects.requireNonNull(
        Files.getFileAttributeView(file, UserDefinedFileAttributeView.class));
  }

  private void whatIsNotThereIsToldInWords(StorageProcess storage, ManagerServer manager)
      throws Exception {
    String image = manager.uri().getAuthority() + "/team/desk:none";
    Command.Result none = publish(storage, "none", image);
    assertThat(none.code()).as("%s", none).isEqualTo(3);

    String elsewhere = "--store=dir:" + here.shared().resolve("elsewhere");
    here.desk("other", "echo one >/root/notes").ok();
    here.awaitIdle();
    Command.Result other = here.regen("publish", "other", image, elsewhere);
    assertThat(other.code()).as("%s", other).isEqualTo(3);
    assertThat(other.err()).contains("this is the store that the manager serves");

    Command.Result notImage = here.regen("publish", "desk", "desk:1");
    assertThat(notImage.code()).isEqualTo(2);
    assertThat(notImage.err()).contains("HOST/REPO:TAG");
  }

  private Command.Result publish(
      StorageProcess storage, String snapshot, String image, String option) throws Exception {
    return here.regen("publish", snapshot, image, "--store", storage.url(), option);
  }

  private Command.Result publish(StorageProcess storage, String snapshot, String image)
      throws Exception {
    return here.regen("publish", snapshot, image, "--store", storage.url());
  }

  private static ManagerServer manager(StorageProcess storage) throws Exception {
    Listening free =
        new Listening(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), null, null, null);
    return new ManagerServer(
        new ManagerOptions(free, StoreUrl.parse(storage.url()), null, null, null, null, null));
  }

  private static long chunks(StorageProcess storage) throws Exception {
    try (InputStream in = URI.create(storage.url() + "/v1/status").toURL().openStream()) {
      return JsonObject.parse(in.readAllBytes()).number("chunks");
    }
  }

  private static String run(String... words) throws Exception {
    return Command.run(Map.of(), words).ok();
  }
}
