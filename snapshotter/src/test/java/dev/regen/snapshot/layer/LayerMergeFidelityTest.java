package dev.regen.snapshot.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.store.MemoryChunkStore;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a container sees of several layers is what GNU tar unpacks of the one that they were merged
 * into: looked at by find, getfattr and GNU tar in a real overlay mount, and in umoci's root.
 */
final class LayerMergeFidelityTest {
  /** How many names a file has is another's to say: overlay counts those of a layer below too. */
  private static final String SEEN =
      """
      export LC_ALL=C
      find . ! -type s ! -type d -printf '%p|%y|%m|%U|%G|%s|%T@|%l\\n' | sort
      find . -type d -printf '%p|%y|%m|%U|%G|%T@\\n' | sort
      find . '(' -type b -o -type c ')' -print0 | sort -z | xargs -0 -r stat -c '%n %t:%T'
      find . ! -type s -print0 | sort -z | xargs -0 getfattr -h -d -m - -e hex 2>&1
      find . -type f -print0 | sort -z | xargs -0 -r sha256sum
      """;

  private static final String LINKS = "export LC_ALL=C; find . ! -type d -printf '%p|%n\\n' | sort";

  private final MemoryChunkStore store = new MemoryChunkStore();
  private final List<Path> layers = new ArrayList<>();
  @TempDir private Path directory;

  @BeforeEach
  void directories() throws IOException {
    assumeTrue(Tool.isRoot(), "mounts, owners and devices take root");
    Tool.bash(directory, "mkdir empty union merged");
  }

  @AfterEach
  void unmounted() throws IOException {
    Tool.bash(directory, "mountpoint -q union && umount union || true");
    TreeRemoval.remove(directory.resolve("merged"));
  }

  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"NAMES_LIKE_WHITEOUTS", "ONLY_A_HOLE"})
  void eachKindIsInTheMergedLayerAsAContainerSeesIt(LayerKind kind) throws IOException {
    layer(kind.below());
    layer(kind.above());

    merge();

    assertThat(seen("merged")).isEqualTo(inUnion(SEEN));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void layersOfRandomChangesAreMergedToWhatAContainerSees(long seed) throws IOException {
    assertRandomLayersAreMerged(seed);
  }

  @ParameterizedTest
  @Tag("long")
  @ValueSource(longs = {4, 5, 6, 7, 8, 9, 10, 11, 12})
  void moreLayersOfRandomChangesAreMergedToo(long seed) throws IOException {
    assertRandomLayersAreMerged(seed);
  }

  private void assertRandomLayersAreMerged(long seed) throws IOException {
    for (int i = 0; i < 5; i++) {
      layer(RandomUnion.script(100 * seed + i));
    }

    merge();

    assertThat(seen("merged")).as("seed %d", seed).isEqualTo(inUnion(SEEN));
    unpackWithUmoci();
    assertThat(Tool.bash(directory.resolve("merged"), LINKS))
        .as("seed %d", seed)
        .isEqualTo(Tool.bash(directory.resolve("image/rootfs"), LINKS));
  }

  /** Adds a layer: what a script changes in the union of those below. */
  private void layer(String script) throws IOException {
    int number = layers.size();
    Tool.bash(directory, "mkdir upper-" + number);
    mount(number, "upperdir=upper-" + number + ",workdir=work,");
    Tool.bash(directory.resolve("union"), script);
    Tool.bash(directory, "umount union; rm -r work");
    Archive archive =
        new LayerArchiver(store, 2)
            .archive(
                directory.resolve("upper-" + number),
                ArchiveRequest.PLAIN,
                Progress.NONE,
                () -> false);
    Path tar = directory.resolve("layer-" + number + ".tar");
    try (OutputStream out = Files.newOutputStream(tar)) {
      new LayerExport(new ChunkReader(store)).write(archive, LayerExport.Form.TAR, out);
    }
    layers.add(tar);
  }

  /** The first is packed with gzip, the second with zstd, as engines give them. */
  private void merge() throws IOException {
    Tool.bash(directory, "gzip -k layer-0.tar; zstd -q layer-1.tar");
    List<LayerMerge.Layer> sources = new ArrayList<>();
    List<String> packings = List.of(".gz", ".zst");
    for (int i = 0; i < layers.size(); i++) {
      Path file = Path.of(layers.get(i) + (i < packings.size() ? packings.get(i) : ""));
      sources.add(new LayerMerge.Layer("layer " + i, null, () -> Files.newInputStream(file)));
    }
    try (OutputStream out = Files.newOutputStream(directory.resolve("merged.tar"));
        WritableByteChannel channel = Channels.newChannel(out)) {
      LayerMerge.of(sources)
          .write(some -> {
            while (some.hasRemaining()) {
              channel.write(some);
            }
          });
    }
    Tool.bash(
        directory,
        """
        ! tar -tf merged.tar | grep -F .wh. || exit 1
        tar -C merged --xattrs --xattrs-include='*' --numeric-owner -xpf merged.tar
        """);
  }

  private void unpackWithUmoci() throws IOException {
    assumeTrue(
        Tool.bash(directory, "command -v umoci || true").contains("umoci"),
        "umoci is not installed (apt-get install umoci)");
    Tool.bash(
        directory,
        """
        umoci init --layout image; umoci new --image image:a
        for layer in layer-*.tar; do umoci raw add-layer --image image:a $layer; done
        umoci raw unpack --image image:a image/rootfs
        """);
  }

  private String seen(String name) throws IOException {
    return Tool.bash(directory.resolve(name), SEEN);
  }

  private String inUnion(String script) throws IOException {
    mount(layers.size(), "");
    String seen = Tool.bash(directory.resolve("union"), script);
    Tool.bash(directory, "umount union");
    return seen;
  }

  private void mount(int lowers, String upper) throws IOException {
    StringBuilder lower = new StringBuilder();
    for (int i = lowers - 1; i >= 0; i--) {
      lower.append("upper-").append(i).append(':');
    }
    Tool.bash(
        directory,
        "%s mount -t overlay overlay union -o index=off,%slowerdir=%sempty"
            .formatted(upper.isEmpty() ? "" : "mkdir work;", upper, lower));
  }
}
