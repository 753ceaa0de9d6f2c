package dev.regen.snapshot.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A layer of ten million empty files, made while it is read: 5 GB of headers, no content. */
@Tag("long")
final class LayerImportTenMillionEntriesTest {
  private static final int ENTRIES = 10_000_000;
  private static final int IN_DIRECTORY = 2_000;
  private static final int LOOK_EVERY = 1_000_000;
  private static final long GROWTH_MAX_BYTES = 64 << 20;

  @TempDir Path directory;

  @Test
  void isRefusedAtTheLimitInTheMemoryThatTheFirstMillionTook() throws IOException {
    assumeTrue(Tool.isRoot(), "making owners takes root");
    Path target = directory.resolve("target");
    LayerImport.Limits limits = new LayerImport.Limits(Archive.ENTRIES_MAX, 1L << 40);
    Headers headers = new Headers();

    assertThatThrownBy(() -> new LayerImport().unpack(headers, target, limits))
        .isInstanceOf(RegenException.BadInput.class)
        .hasMessageContaining("more than " + Archive.ENTRIES_MAX + " entries");

    assertThat(target).doesNotExist();
    assertThat(headers.made).isBetween((int) Archive.ENTRIES_MAX, (int) Archive.ENTRIES_MAX + 5000);
    System.out.printf(
        "heap in use after %,d entries %,d bytes, at most %,d later%n",
        LOOK_EVERY, headers.usedFirst, headers.usedMost);
    assertThat(headers.usedMost).isLessThan(headers.usedFirst + GROWTH_MAX_BYTES);
  }

  /** The stream: a directory, its files, the next directory; the heap is looked at on the way. */
  private static final class Headers extends InputStream {
    private int made;
    private long usedFirst;
    private long usedMost;
    private byte[] header = new byte[0];
    private int at;

    @Override
    public int read() {
      throw new UnsupportedOperationException("one byte at a time");
    }

    @Override
    public int read(byte[] bytes, int offset, int length) {
      if (at == header.length) {
        if (made == ENTRIES) {
          return -1;
        }
        header = next();
        at = 0;
      }
      int count = Math.min(length, header.length - at);
      System.arraycopy(header, at, bytes, offset, count);
      at += count;
      return count;
    }

    private byte[] next() {
      String below = "d" + made / IN_DIRECTORY + "/";
      boolean first = made % IN_DIRECTORY == 0;
      String name = first ? below : below + "f" + made;
      made++;
      if (made % LOOK_EVERY == 0) {
        look();
      }
      return TarBytes.header((byte) (first ? '5' : '0'), TarBytes.bytes(name), new byte[0], 0);
    }

    private void look() {
      System.gc();
      long used = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
      if (usedFirst == 0) {
        usedFirst = used;
      }
      usedMost = Math.max(usedMost, used);
    }
  }
}
