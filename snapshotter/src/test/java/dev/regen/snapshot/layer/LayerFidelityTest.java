package dev.regen.snapshot.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.oci.FrozenLayer.IdRange;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.chunk.Sealing;
import dev.regen.snapshot.store.MemoryChunkStore;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What a container sees is the same with its own writable layer and with the one restored from its
 * archive: real overlay mounts, looked at by find, getfattr and GNU tar.
 */
final class LayerFidelityTest {
  /** All that a container can see of its files; sockets cannot be archived. */
  private static final String SEEN =
      """
      export LC_ALL=C
      find . ! -type s ! -type d -printf '%p|%y|%m|%U|%G|%s|%T@|%n|%l\\n' | sort
      find . -type d -printf '%p|%y|%m|%U|%G|%T@\\n' | sort
      find . -type b -o -type c | sort | while read -r f; do stat -c '%n %t:%T' "$f"; done
      find . -print0 | sort -z | xargs -0 getfattr -h -d -m - -e hex 2>&1
      tar --sort=name --acls --numeric-owner --format=posix \
          --pax-option=delete=atime,delete=ctime,exthdr.name=x -c . 2>/dev/null | sha256sum
      """;

  private final MemoryChunkStore store = new MemoryChunkStore();
  @TempDir private Path directory;

  @BeforeEach
  void directories() throws IOException {
    assumeTrue(Tool.isRoot(), "mounts, owners and devices take root");
    Tool.bash(directory, "mkdir lower upper union");
  }

  @AfterEach
  void unmounted() throws IOException {
    Tool.bash(directory, "mountpoint -q union && umount union || true");
    for (String name : List.of("lower", "upper", "restored", "work", "image")) {
      TreeRemoval.remove(directory.resolve(name));
    }
  }

  @ParameterizedTest
  @EnumSource(LayerKind.class)
  void aContainerSeesTheSameAfterARestore(LayerKind kind) throws IOException {
    make(kind);
    String before = seen("upper");
    String spaceBefore = space("upper");

    Archive archive = archive();
    restore(archive);

    assertThat(seen("restored")).isEqualTo(before);
    if (kind != LayerKind.CAPABILITY) { // there, overlay's own attributes take blocks too
      assertThat(space("restored")).isEqualTo(spaceBefore);
    }
    assertThat(archive.omittedCount()).isEqualTo(kind == LayerKind.SOCKET ? 1 : 0);
  }

  /** Names that begin as whiteouts do, no other tool can tell from whiteouts. */
  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"NAMES_LIKE_WHITEOUTS", "ONLY_A_HOLE"})
  void umociSeesTheSameInTheExportedLayer(LayerKind kind) throws IOException {
    assumeTrue(
        Tool.bash(directory, "command -v umoci || true").contains("umoci"),
        "umoci is not installed (apt-get install umoci)");
    make(kind);
    mount("upper");
    String files =
        "find . ! -type s -printf '%p|%y|%m|%U|%G|%l\\n' | LC_ALL=C sort | (grep -v '^[.]|' || true);"
            + "find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum";
    String expected = Tool.bash(directory.resolve("union"), files);
    unmount();

    try (OutputStream out = Files.newOutputStream(directory.resolve("layer.tar"))) {
      new LayerExport(new ChunkReader(store)).write(archive(), LayerExport.Form.TAR, out);
    }
    Tool.bash(
        directory,
        """
        tar -C lower --sort=name --xattrs -cf lower.tar .
        umoci init --layout image; umoci new --image image:a
        umoci raw add-layer --image image:a lower.tar
        umoci raw add-layer --image image:a layer.tar
        umoci raw unpack --image image:a image/rootfs
        """);

    assertThat(Tool.bash(directory.resolve("image/rootfs"), files)).isEqualTo(expected);
  }

  @Test
  void idsAreThoseOfTheContainerOnEachHost() throws IOException {
    Tool.bash(
        directory.resolve("upper"),
        """
        chown 100000:100000 .; cp /bin/true t; chown 101000:102000 t; setcap -n 100000 cap_chown+ep t
        mkdir d; chown 100000:100000 d; setfacl -m u:100007:rwx,g:100008:r d
        """);
    List<IdRange> here = List.of(new IdRange(0, 100_000, 65_536));
    List<IdRange> there = List.of(new IdRange(0, 500_000, 65_536));

    Archive archive =
        new LayerArchiver(store, 2)
            .archive(
                directory.resolve("upper"),
                new ArchiveRequest(List.of(), List.of(), here, here, Sealing.NONE),
                Progress.NONE,
                () -> false);
    new LayerRestorer(new ChunkReader(store), 2)
        .restore(archive, directory.resolve("restored"), there, there, Progress.NONE);

    Path restored = directory.resolve("restored");
    assertThat(Tool.bash(restored, "stat -c '%n %u:%g' . t d; getcap -n t; getfacl -nc d"))
        .isEqualTo(
            """
            . 500000:500000
            t 501000:502000
            d 500000:500000
            t cap_chown=ep [rootid=500000]
            user::rwx
            user:500007:rwx
            group::r-x
            group:500008:r--
            mask::rwx
            other::r-x

            """);
  }

  private void make(LayerKind kind) throws IOException {
    Tool.bash(directory.resolve("lower"), kind.below());
    mount("upper");
    Tool.bash(directory.resolve("union"), kind.above());
    unmount();
  }

  private Archive archive() throws IOException {
    return new LayerArchiver(store, 2)
        .archive(directory.resolve("upper"), ArchiveRequest.PLAIN, Progress.NONE, () -> false);
  }

  private void restore(Archive archive) throws IOException {
    new LayerRestorer(new ChunkReader(store), 2)
        .restore(archive, directory.resolve("restored"), List.of(), List.of(), Progress.NONE);
  }

  private String seen(String upper) throws IOException {
    mount(upper);
    String seen = Tool.bash(directory.resolve("union"), SEEN);
    unmount();
    return seen;
  }

  /**
   * Whether holes are holes, and zeros that were written are none: blocks of files, as they lie.
   */
  private String space(String upper) throws IOException {
    return Tool.bash(
        directory.resolve(upper),
        "sync -f .; find . -type f -size +16k -printf '%p %b\\n' | LC_ALL=C sort");
  }

  private void mount(String upper) throws IOException {
    Tool.bash(
        directory,
        "mkdir work; mount -t overlay overlay union -o index=off,lowerdir=lower,workdir=work,upperdir="
            + upper);
  }

  private void unmount() throws IOException {
    Tool.bash(directory, "umount union; rm -r work");
  }
}
