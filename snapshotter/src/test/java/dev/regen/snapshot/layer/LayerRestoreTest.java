package dev.regen.snapshot.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.store.ChunkStore;
import dev.regen.snapshot.store.DirectoryChunkStore;
import dev.regen.snapshot.store.MemoryChunkStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Archives of our own, whole and damaged, back to trees. */
final class LayerRestoreTest {
  private static final String FACTS =
      "find . -printf '%p %y %m %U %G %s %T@ %n %l\\n' | sort; find . -type f | sort | xargs sha256sum";

  @TempDir Path directory;
  private ChunkStore store = new MemoryChunkStore();
  private Path tree = Path.of("");
  private Path target = Path.of("");

  @BeforeEach
  void makeTree() throws IOException {
    assumeTrue(Tool.isRoot(), "needs root");
    tree = Files.createDirectory(directory.resolve("tree"));
    target = directory.resolve("target");
    Tool.bash(
        tree,
        """
        mkdir -p a/b c
        head -c 20000000 /dev/urandom > big
        for i in $(seq 300); do echo $i > a/b/file-$i; done
        ln big a/second-name
        ln -s nowhere c/link
        """);
  }

  @Test
  void aTreeComesBackAsItWas() throws IOException {
    Archive archive = archived();

    restore(archive);

    assertThat(Tool.bash(target, FACTS)).isEqualTo(Tool.bash(tree, FACTS));
  }

  @Test
  void aMissingChunkIsNamedAndNothingIsLeft() throws IOException {
    Archive archive = archived();
    Chunk third = archive.chunks().get(2);
    store.delete(List.of(third.digest()));

    assertThatThrownBy(() -> restore(archive))
        .isInstanceOf(RegenException.Damaged.class)
        .hasMessageContaining(third.digest().toString())
        .hasMessageContaining("chunk 3 of");
    assertThat(target).doesNotExist();
  }

  @Test
  void aFlippedByteIsFoundAndNothingIsLeft() throws IOException {
    Path chunks = directory.resolve("chunks");
    store = new DirectoryChunkStore(chunks);
    Archive archive = archived();
    store.force();
    String hex = archive.chunks().get(1).digest().hex();
    Path file = chunks.resolve("sha256").resolve(hex.substring(0, 2)).resolve(hex);
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);

    assertThatThrownBy(() -> restore(archive))
        .isInstanceOf(RegenException.Damaged.class)
        .hasMessageContaining(hex);
    assertThat(target).doesNotExist();
  }

  @Test
  void aManifestThatCutsTheArchiveShortIsFound() throws IOException {
    Archive whole = archived();
    List<Chunk> fewer = new ArrayList<>(whole.chunks());
    fewer.removeLast();
    Archive cut = with(whole, fewer, whole.entries());

    assertThatThrownBy(() -> restore(cut)).isInstanceOf(RegenException.class);
    assertThat(target).doesNotExist();
  }

  @Test
  void aManifestWithAnotherCountOfEntriesIsFound() throws IOException {
    Archive whole = archived();

    assertThatThrownBy(() -> restore(with(whole, whole.chunks(), whole.entries() + 1)))
        .isInstanceOf(RegenException.Damaged.class);
    assertThat(target).doesNotExist();
  }

  @Test
  void aChunkThatUnpacksToMoreThanItsManifestSaysIsStopped() throws IOException {
    byte[] bomb = com.github.luben.zstd.Zstd.compress(new byte[64 << 20]);
    dev.regen.snapshot.Digest digest = dev.regen.snapshot.Digest.of(ByteBuffer.wrap(bomb));
    store.put(digest, ByteBuffer.wrap(bomb));
    Archive archive =
        new Archive(
            List.of(new Chunk(digest, bomb.length, 1024)), List.of(), 0, 1024, 0, 0, List.of(), 0);

    assertThatThrownBy(() -> restore(archive))
        .isInstanceOf(RegenException.Damaged.class)
        .hasMessageContaining("does not unpack");
    assertThat(target).doesNotExist();
  }

  @Test
  void anExistingTargetIsLeftAlone() throws IOException {
    Files.createDirectory(target);
    Files.writeString(target.resolve("kept"), "x");
    Archive archive = archived();

    assertThatThrownBy(() -> restore(archive)).isInstanceOf(RegenException.Refused.class);
    assertThat(target.resolve("kept")).exists();
  }

  @Test
  void bothFormsOfAnExportAreOneLayerToGnuTarAndToImport() throws IOException {
    Archive archive = archived();
    String expected = Tool.bash(tree, FACTS);

    for (LayerExport.Form form : LayerExport.Form.values()) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      new LayerExport(new ChunkReader(store)).write(archive, form, out);
      Path file = directory.resolve(form + ".layer");
      Files.write(file, out.toByteArray());
      Path unpacked = Files.createDirectory(directory.resolve("gnu-" + form));
      String filter = form == LayerExport.Form.TAR ? "cat" : "zstd -d";
      Tool.bash(unpacked, filter + " < " + file + " | tar -xp --numeric-owner");
      Path imported = directory.resolve("imported-" + form);
      new LayerImport()
          .unpack(
              new ByteArrayInputStream(out.toByteArray()),
              imported,
              LayerImport.Limits.of(directory));

      assertThat(Tool.bash(unpacked, FACTS)).isEqualTo(expected);
      assertThat(Tool.bash(imported, FACTS)).isEqualTo(expected);
    }
  }

  private Archive archived() throws IOException {
    return new LayerArchiver(store, 2)
        .archive(tree, ArchiveRequest.PLAIN, Progress.NONE, () -> false);
  }

  private void restore(Archive archive) throws IOException {
    new LayerRestorer(new ChunkReader(store), 2)
        .restore(archive, target, List.of(), List.of(), Progress.NONE);
  }

  private static Archive with(Archive archive, List<Chunk> chunks, long entries) {
    return new Archive(
        chunks,
        archive.entryIndex(),
        entries,
        archive.tarBytes(),
        archive.storedBytes(),
        archive.newBytes(),
        archive.omitted(),
        archive.omittedCount());
  }
}
