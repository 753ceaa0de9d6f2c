package dev.regen.snapshot.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.oci.FrozenLayer.IdRange;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.chunk.Sealing;
import dev.regen.snapshot.store.MemoryChunkStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A tree that was archived and restored gives the same archive again, to the byte. */
final class LayerRoundTripTest {
  private static final String EVERYTHING =
      """
      echo a > a; chmod 4755 a; ln a z; mkdir -p d/sub; echo b > d/sub/b; chmod 000 d/sub/b
      chown 1005:1006 d/sub/b; mknod gone c 0 0; mknod d/gone c 0 0; mkdir opaque
      setfattr -n trusted.overlay.opaque -v y opaque; touch opaque/new; mkfifo f; ln -s $'\\xff' s
      ln s d/s; mknod c c 1 3; mknod b b 8 1; mkdir .wh.d; echo x > .wh.d/.wh.x; ln .wh.d/.wh.x y
      touch $'\\xfe\\xff' $(printf 'n%.0s' {1..255}) $'new\\nline'; setfattr -n user.q=r%3Ds -v 1 a
      setfattr -n user.binary -v 0x00ff3d0a d; setfacl -m u:1000:rwx,g:1001:r d
      setfacl -d -m u:1002:rx d; cp a cap; setcap cap_net_raw+ep cap
      truncate -s 30M sparse; printf x | dd of=sparse bs=1 seek=9000000 conv=notrunc status=none
      head -c 5000000 /dev/urandom > large; touch -d '1901-02-03 04:05:06.7 UTC' a
      touch -d '2400-02-03 UTC' d/sub; touch -d '1969-12-31 23:59:59.5 UTC' opaque .
      """;

  private final MemoryChunkStore store = new MemoryChunkStore();
  @TempDir private Path directory;

  @Test
  void restoredTreeGivesTheSameArchive() throws IOException {
    assumeTrue(Tool.isRoot(), "owners, devices and attributes take root");
    Path tree = Files.createDirectory(directory.resolve("tree"));
    Tool.bash(tree, EVERYTHING + "chown 7:8 a; chown 3000000:4000000000 z");

    assertSameAgain(tree, ArchiveRequest.PLAIN);
  }

  @Test
  void restoredTreeGivesTheSameArchiveUnderAnIdMapping() throws IOException {
    assumeTrue(Tool.isRoot(), "owners, devices and attributes take root");
    Path tree = Files.createDirectory(directory.resolve("tree"));
    Tool.bash(
        tree,
        "echo a > a; setcap -n 100000 cap_net_raw+ep a; mkdir d; setfacl -m u:100005:r,g:200005:r d;"
            + "ln a b; chown -h 100007:200008 d; echo c > d/c; chown 100009:200000 d/c;"
            + "chown 100000:200000 .; chown 100001:200001 a;"
            + "setcap -n 100000 cap_net_raw+ep a; mknod gone c 0 0");
    List<IdRange> users = List.of(new IdRange(0, 100_000, 1000));
    List<IdRange> groups = List.of(new IdRange(0, 200_000, 1000));

    Tool.bash(tree, "chown 100000:200000 gone");
    assertSameAgain(tree, new ArchiveRequest(List.of(), List.of(), users, groups, Sealing.NONE));
  }

  private void assertSameAgain(Path tree, ArchiveRequest request) throws IOException {
    Archive first = archive(tree, request);
    Path restored = directory.resolve("restored");
    new LayerRestorer(new ChunkReader(store), 2)
        .restore(first, restored, request.uidMap(), request.gidMap(), Progress.NONE);

    Archive second = archive(restored, request);

    store.layer(first, directory.resolve("first"));
    store.layer(second, directory.resolve("second"));
    String list = " | zstd -qdc | tar tv --full-time --numeric-owner";
    assertThat(Tool.bash(directory, "cat second" + list))
        .isEqualTo(Tool.bash(directory, "cat first" + list));
    assertThat(second.sameLayer(first)).isTrue();
    assertThat(second.entryIndex()).isEqualTo(first.entryIndex());
  }

  private Archive archive(Path tree, ArchiveRequest request) throws IOException {
    return new LayerArchiver(store, 2).archive(tree, request, Progress.NONE, () -> false);
  }
}
