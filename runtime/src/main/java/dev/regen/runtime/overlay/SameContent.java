package dev.regen.runtime.overlay;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Compares two files of one name and one size by what is in them. */
final class SameContent {
  private static final int BUFFER_BYTES = 128 * 1024;

  private final Deadline deadline;
  private final ByteBuffer ours = ByteBuffer.allocateDirect(BUFFER_BYTES);
  private final ByteBuffer theirs = ByteBuffer.allocateDirect(BUFFER_BYTES);

  SameContent(Deadline deadline) {
    this.deadline = deadline;
  }

  boolean of(Fd one, Fd other, byte[] name, Stat stat) throws IOException {
    return switch (stat.type()) {
      case Stat.REGULAR -> regular(one, other, name);
      case Stat.SYMLINK -> Arrays.equals(one.readlinkAt(name), other.readlinkAt(name));
      default -> true;
    };
  }

  private boolean regular(Fd one, Fd other, byte[] name) throws IOException {
    try (Fd first = one.openAt(name, Fd.RDONLY, 0);
        Fd second = other.openAt(name, Fd.RDONLY, 0)) {
      while (true) {
        deadline.check();
        fill(first, ours.clear());
        fill(second, theirs.clear());
        if (!ours.flip().equals(theirs.flip())) {
          return false;
        }
        if (ours.limit() < BUFFER_BYTES) {
          return true;
        }
      }
    }
  }

  private static void fill(Fd file, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining() && file.read(buffer) > 0) {
      // until it is full, or the file ends
    }
  }
}
