package dev.regen.snapshot.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.chunk.Sealing;
import dev.regen.snapshot.store.MemoryChunkStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a real overlay mount left in its upper, put on its lower layer again by umoci. */
final class LayerArchiverOverlayTest {
  private static final String LISTING =
      "find . -mindepth 1 -printf '%p|%y|%m|%U|%G|%T@|%l|' \\( -type f -printf '%s' -o -true \\)"
          + " -printf '\\n' | LC_ALL=C sort";

  private final MemoryChunkStore store = new MemoryChunkStore();
  @TempDir private Path directory;

  @BeforeEach
  void directories() throws IOException {
    assumeTrue(Tool.isRoot(), "mounting takes root");
    // Not on the temporary directory's own file system, which may not do as an upper.
    Tool.bash(directory, "mkdir fs; mount -t tmpfs tmpfs fs; mkdir fs/{lower,upper,work,merged}");
  }

  @AfterEach
  void unmount() throws IOException {
    Tool.bash(directory, "umount -l fs/merged 2>/dev/null || true; umount -l fs || true");
  }

  @Test
  void deletionsAndReplacementsHideWhatIsBelow() throws IOException {
    Tool.bash(
        directory.resolve("fs/lower"),
        "mkdir -p keep gone/deep opaque/sub dir2file; echo a > keep/a; echo b > keep/b;"
            + "echo c > gone/deep/c; echo o > opaque/o; echo o > opaque/sub/o; echo f > file2dir;"
            + "echo d > dir2file/d; echo l > tolink; ln -s keep link2dir; mkdir -p moved; echo m > moved/m");
    mount("");
    Tool.bash(
        directory.resolve("fs/merged"),
        "rm keep/b; rm -r gone; rm -r opaque; mkdir opaque; echo n > opaque/new; mkdir opaque/sub;"
            + "rm file2dir; mkdir file2dir; echo x > file2dir/x; rm -r dir2file; echo y > dir2file;"
            + "ln tolink linked; rm link2dir; mkdir link2dir; echo z > link2dir/z; chmod 700 keep;"
            + "rm moved/m; mkdir other; echo longname > other/$(printf 'w%.0s' {1..255});"
            + "rm -r dir2file; mkdir dir2file; rm -r dir2file; echo again > dir2file");

    assertUmociRebuildsTheMount();
  }

  @Test
  void whiteoutOfTheAttributeFormIsOneInsideItsDirectoryOnly() throws IOException {
    Tool.bash(
        upper(),
        "mkdir d e; setfattr -n trusted.overlay.opaque -v x d; touch d/gone d/there e/there;"
            + "setfattr -n trusted.overlay.whiteout -v y d/gone;"
            + "setfattr -n trusted.overlay.whiteout -v y e/there");

    assertThat(names(archive(ArchiveRequest.PLAIN)))
        .isEqualTo(
            """
            ./
            d/
            d/.wh.gone
            d/there
            e/
            e/there
            """);
  }

  @Test
  void realNameThatLooksLikeAWhiteoutIsEscaped() throws IOException {
    Tool.bash(upper(), "mkdir .wh.d; echo 1 > .wh.d/.wh.f; ln .wh.d/.wh.f z; mknod .wh.gone c 0 0");

    String names = names(archive(ArchiveRequest.PLAIN));

    assertThat(names)
        .isEqualTo(
            """
            ./
            .wh..wh.regen..wh.d/
            .wh..wh.regen..wh.d/.wh..wh.regen..wh.f
            .wh..wh..wh.regen..wh.gone
            z
            """);
  }

  @Test
  void redirectedDirectoryIsRefusedWithItsPath() throws IOException {
    Tool.bash(directory.resolve("fs/lower"), "mkdir -p a/b; echo x > a/b/x");
    mount(",redirect_dir=on");
    Tool.bash(directory.resolve("fs/merged"), "mv a/b c");

    assertThatThrownBy(() -> archive(ArchiveRequest.PLAIN))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining("/c has the attribute trusted.overlay.redirect");
  }

  @Test
  void fileWithoutItsContentIsRefusedWithItsPath() throws IOException {
    Tool.bash(directory.resolve("fs/lower"), "mkdir a; head -c 9000 /dev/urandom > a/x");
    mount(",metacopy=on");
    Tool.bash(directory.resolve("fs/merged"), "chmod 600 a/x");

    assertThatThrownBy(() -> archive(ArchiveRequest.PLAIN))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining("/a/x has the attribute trusted.overlay.metacopy");
  }

  @Test
  void attributesOfOverlayStayOnTheHostAndStrangeOnesAreCounted() throws IOException {
    Tool.bash(
        upper(),
        "mkdir d; setfattr -n trusted.overlay.origin -v 1 d; setfattr -n trusted.mine -v 1 d;"
            + "setfattr -n trusted.overlay.impure -v y .;"
            + "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"sock\")'");

    Archive archive = archive(ArchiveRequest.PLAIN);

    assertThat(archive.omittedCount()).isEqualTo(2);
    assertThat(archive.omitted())
        .containsExactlyInAnyOrder("socket /sock", "attribute trusted.mine of /d");
    assertThat(names(archive)).isEqualTo("./\nd/\n");
    assertThat(Tool.bash(directory, "zstd -dc layer | grep -c SCHILY || true").strip())
        .isEqualTo("0");
  }

  @Test
  void placeholdersAreLeftOutWhileEmptyAndExcludesAlways() throws IOException {
    Tool.bash(
        upper(),
        "mkdir -p vol parent/vol used cache/deep opaque; touch cfg; echo x > cfg2; touch used/f;"
            + "touch cache/f; setfattr -n trusted.overlay.opaque -v y opaque");

    Archive archive =
        archive(
            new ArchiveRequest(
                List.of("/vol", "/parent/vol", "/used", "/cfg", "/cfg2", "/opaque"),
                List.of("/cache/"),
                List.of(),
                List.of(),
                Sealing.NONE));

    assertThat(names(archive))
        .isEqualTo(
            """
            ./
            cfg2
            opaque/
            opaque/.wh..wh..opq
            parent/
            used/
            used/f
            """);
  }

  private Path upper() {
    return directory.resolve("fs/upper");
  }

  private void mount(String options) throws IOException {
    Tool.bash(
        directory.resolve("fs"),
        "mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work"
            + options
            + " merged");
  }

  private Archive archive(ArchiveRequest request) throws IOException {
    Archive archive =
        new LayerArchiver(store, 2).archive(upper(), request, Progress.NONE, () -> false);
    store.layer(archive, directory.resolve("layer"));
    return archive;
  }

  private String names(Archive archive) throws IOException {
    assertThat(archive.entries()).isPositive();
    return Tool.bash(directory, "zstd -dc layer | tar t");
  }

  private void assertUmociRebuildsTheMount() throws IOException {
    archive(ArchiveRequest.PLAIN);
    Tool.bash(
        directory,
        "tar -C fs/lower --format=posix --numeric-owner -cf lower.tar .; zstd -qdc layer > upper.tar;"
            + "umoci init --layout oci; umoci new --image oci:t;"
            + "umoci raw add-layer --image oci:t lower.tar;"
            + "umoci raw add-layer --image oci:t upper.tar; umoci unpack --image oci:t bundle");
    assertThat(Tool.bash(directory.resolve("bundle/rootfs"), LISTING))
        .isEqualTo(Tool.bash(directory.resolve("fs/merged"), LISTING));
  }
}
