package dev.regen.runtime.durable;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Hazard: what goes past the page cache ends in the middle of a block, or finds no room. */
final class LongContentTest {
  private static final long SEED = 20261122;

  @TempDir private Path directory;

  @ParameterizedTest
  @CsvSource({
    "4095, 0",
    "131072, 0",
    "131073, 0",
    "1052671, 0",
    "4198399, 0",
    "4194304, 512",
    "200000, 1"
  })
  void allOfItIsInTheFile(int bytes, int misplacedBytes) throws IOException {
    ByteBuffer content = content(bytes, misplacedBytes);
    byte[] expected = new byte[bytes];
    content.duplicate().get(expected);
    Path file = directory.resolve("long");

    new LocalDisk().create(file, content);

    assertThat(Files.readAllBytes(file)).isEqualTo(expected);
    assertThat(content.hasRemaining()).isFalse();
  }

  @Test
  void fullDiskIsSaid() throws IOException, InterruptedException {
    assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
    Path image = directory.resolve("image");
    Path mounted = Files.createDirectory(directory.resolve("mounted"));
    sh("truncate -s 8M " + image + " && mkfs.ext4 -q " + image);
    sh("mount -o loop " + image + " " + mounted);
    try {
      assertThatThrownBy(
              () -> new LocalDisk().create(mounted.resolve("long"), content(16 << 20, 0)))
          .isInstanceOf(DiskFullException.class);
    } finally {
      sh("umount " + mounted);
    }
  }

  private static ByteBuffer content(int bytes, int misplacedBytes) {
    ByteBuffer room = ByteBuffer.allocateDirect(bytes + 2 * Disk.ALIGNED_BYTES);
    ByteBuffer aligned = room.alignedSlice(Disk.ALIGNED_BYTES);
    byte[] random = new byte[bytes];
    new Random(SEED).nextBytes(random);
    return aligned.slice(misplacedBytes, aligned.capacity() - misplacedBytes).put(random).flip();
  }

  private static void sh(String script) throws IOException, InterruptedException {
    Process process = new ProcessBuilder("sh", "-c", script).inheritIO().start();
    assertThat(process.waitFor()).as(script).isZero();
  }
}
