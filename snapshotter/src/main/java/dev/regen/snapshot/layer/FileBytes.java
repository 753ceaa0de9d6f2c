package dev.regen.snapshot.layer;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The content of a file, stretch by stretch. */
public interface FileBytes extends AutoCloseable {
  /** Some bytes that follow each other, not read yet if they need not be. */
  interface Stretch {
    /** At least 1. */
    int length();

    /** Whether both are known to hold the same bytes, without a look at them. */
    boolean isKnownToEqual(Stretch other);

    /** All of them from position 0 on; good until bytes of another stretch are asked for. */
    ByteBuffer bytes() throws IOException;
  }

  /** The next stretch, or null at the end. */
  @Nullable Stretch next() throws IOException;

  @Override
  void close();

  /** Whether both hold the same; reads both from where they are, up to the first difference. */
  static boolean same(FileBytes a, FileBytes b) throws IOException {
    Stretch left = a.next();
    Stretch right = b.next();
    int leftAt = 0;
    int rightAt = 0;
    while (left != null && right != null) {
      int length = Math.min(left.length() - leftAt, right.length() - rightAt);
      boolean known = leftAt == 0 && rightAt == 0 && left.isKnownToEqual(right);
      if (!known && !same(left.bytes(), leftAt, right.bytes(), rightAt, length)) {
        return false;
      }
      leftAt += length;
      rightAt += length;
      if (leftAt == left.length()) {
        left = a.next();
        leftAt = 0;
      }
      if (rightAt == right.length()) {
        right = b.next();
        rightAt = 0;
      }
    }
    return left == null && right == null;
  }

  private static boolean same(ByteBuffer a, int aAt, ByteBuffer b, int bAt, int length) {
    return a.slice(aAt, length).mismatch(b.slice(bAt, length)) < 0;
  }
}
