package dev.regen.snapshot.remote.s3;

import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** Buffers one after the other, which stay as they are, as a stream. */
final class BuffersInput extends InputStream {
  private final Deque<ByteBuffer> rest = new ArrayDeque<>();

  BuffersInput(List<ByteBuffer> buffers) {
    buffers.forEach(buffer -> rest.add(buffer.duplicate()));
  }

  @Override
  public int read() {
    ByteBuffer buffer = next();
    return buffer == null ? -1 : buffer.get() & 0xff;
  }

  @Override
  public int read(byte[] to, int offset, int length) {
    if (length == 0) {
      return 0;
    }
    ByteBuffer buffer = next();
    if (buffer == null) {
      return -1;
    }
    int some = Math.min(length, buffer.remaining());
    buffer.get(to, offset, some);
    return some;
  }

  @Override
  public int available() {
    ByteBuffer buffer = rest.peek();
    return buffer == null ? 0 : buffer.remaining();
  }

  private @org.jspecify.annotations.Nullable ByteBuffer next() {
    while (!rest.isEmpty() && !rest.getFirst().hasRemaining()) {
      rest.removeFirst();
    }
    return rest.peek();
  }
}
