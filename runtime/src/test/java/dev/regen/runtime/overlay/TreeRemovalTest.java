package dev.regen.runtime.overlay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.os.Fd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Trees as a hostile container would leave them. */
final class TreeRemovalTest {
  @TempDir Path directory;

  @Test
  void removesATreeFarDeeperThanAPathCanNameAndThanFilesCanBeOpen() throws IOException {
    Path tree = Files.createDirectory(directory.resolve("deep"));
    byte[] name = Fd.bytes("d".repeat(100));
    Fd at = Fd.directory(tree);
    for (int i = 0; i < 3_000; i++) {
      at.mkdirAt(name, 0700);
      at.openAt(Fd.bytes("file"), Fd.WRONLY | Fd.CREAT, 0600).close();
      at.openAt(Fd.bytes("zfile"), Fd.WRONLY | Fd.CREAT, 0600).close();
      Fd below = at.openAt(name, Fd.DIRECTORY, 0);
      at.close();
      at = below;
    }
    at.close();

    TreeRemoval.remove(tree);

    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void followsNoLinkOutOfTheTree() throws IOException {
    Path outside = Files.createDirectory(directory.resolve("outside"));
    Files.writeString(outside.resolve("kept"), "x");
    Path tree = Files.createDirectories(directory.resolve("tree/below"));
    Files.createSymbolicLink(tree.resolve("link"), outside);
    Files.createSymbolicLink(directory.resolve("tree/link"), outside);

    TreeRemoval.remove(directory.resolve("tree"));

    assertThat(directory.resolve("tree")).doesNotExist();
    assertThat(outside.resolve("kept")).exists();
  }

  @Test
  void aLinkIsRemovedItself() throws IOException {
    Path outside = Files.createDirectory(directory.resolve("outside"));
    Path link = Files.createSymbolicLink(directory.resolve("link"), outside);

    TreeRemoval.remove(link);

    assertThat(link).doesNotExist();
    assertThat(outside).exists();
  }

  @Test
  void doesNothingWhereNothingIs() throws IOException {
    TreeRemoval.remove(directory.resolve("absent"));

    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void stopsAtAMountAndLeavesWhatIsMountedThere() throws Exception {
    Path source = Files.createDirectory(directory.resolve("source"));
    Files.writeString(source.resolve("kept"), "x");
    Path mountPoint = Files.createDirectories(directory.resolve("tree/mnt"));
    assumeTrue(run("mount", "--bind", source.toString(), mountPoint.toString()) == 0, "needs root");
    try {
      assertThatThrownBy(() -> TreeRemoval.remove(directory.resolve("tree")))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("mounted on mnt");

      assertThat(source.resolve("kept")).exists();
    } finally {
      run("umount", mountPoint.toString());
    }
  }

  @Test
  void removesADirectoryOfManyNames() throws IOException {
    Path tree = Files.createDirectory(directory.resolve("wide"));
    for (int i = 0; i < 20_000; i++) {
      Files.createFile(tree.resolve("file-" + i));
    }
    for (int i = 0; i < 5_000; i++) {
      Files.createDirectory(tree.resolve("directory-" + i));
    }

    TreeRemoval.remove(tree);

    assertThat(tree).doesNotExist();
  }

  private static int run(String... command) throws Exception {
    return new ProcessBuilder(command).inheritIO().start().waitFor();
  }
}
