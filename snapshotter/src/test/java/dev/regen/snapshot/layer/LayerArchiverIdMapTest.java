package dev.regen.snapshot.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.oci.FrozenLayer.IdRange;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.chunk.Sealing;
import dev.regen.snapshot.store.MemoryChunkStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ids of a container with a mapping of its own, unpacked by GNU tar. */
final class LayerArchiverIdMapTest {
  private static final ArchiveRequest MAPPED =
      new ArchiveRequest(
          List.of(),
          List.of(),
          List.of(new IdRange(0, 100_000, 65_536)),
          List.of(new IdRange(0, 200_000, 1000), new IdRange(1000, 5000, 10)),
          Sealing.NONE);

  private final MemoryChunkStore store = new MemoryChunkStore();
  @TempDir private Path directory;
  private Path tree;
  private Path out;

  @BeforeEach
  void directories() throws IOException {
    assumeTrue(Tool.isRoot(), "owners and capabilities take root");
    tree = Files.createDirectory(directory.resolve("tree"));
    out = Files.createDirectory(directory.resolve("out"));
    Tool.bash(tree, "chown 100000:200000 .");
  }

  @Test
  void ownersAreAsTheContainerSeesThem() throws IOException {
    Tool.bash(tree, "touch a b; chown 101000:5009 a; chown 165535:200999 b");

    unpack(archive());

    assertThat(Tool.bash(out, "stat -c '%u:%g' . a b"))
        .isEqualTo(
            """
            0:0
            1000:1009
            65535:999
            """);
  }

  @Test
  void ownerOutsideTheMappingIsRefusedWithThePath() throws IOException {
    Tool.bash(tree, "mkdir d; chown 100000:200000 d; touch d/a; chown 100000:5010 d/a");

    assertThatThrownBy(this::archive)
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining("/d/a belongs to the group 5010 of the host");
  }

  @Test
  void capabilityOfTheContainersRootIsOneOfRoot() throws IOException {
    Tool.bash(
        tree,
        "echo x > a; echo y > b; chown 100000:200000 a b;"
            + "setcap -n 100000 cap_net_raw+ep a; setcap -n 100007 cap_net_raw+ep b");

    unpack(archive());

    assertThat(Tool.bash(out, "getcap -n a b"))
        .isEqualTo(
            """
            a cap_net_raw=ep
            b cap_net_raw=ep [rootid=7]
            """);
  }

  @Test
  void usersAndGroupsOfAccessListsAreAsTheContainerSeesThem() throws IOException {
    Tool.bash(
        tree,
        "mkdir d; chown 100000:200000 d; setfacl -m u:101000:rwx,g:5001:r d;"
            + "setfacl -d -m u:101001:rx d");

    unpack(archive());

    assertThat(Tool.bash(out, "getfacl -nc d | grep ':[0-9]'"))
        .isEqualTo(
            """
            user:1000:rwx
            group:1001:r--
            default:user:1001:r-x
            """);
  }

  private Archive archive() throws IOException {
    return new LayerArchiver(store, 1).archive(tree, MAPPED, Progress.NONE, () -> false);
  }

  private void unpack(Archive archive) throws IOException {
    store.layer(archive, directory.resolve("layer"));
    Tool.bash(out, "zstd -dc ../layer | tar x --xattrs --xattrs-include='*' -p --numeric-owner");
  }
}
