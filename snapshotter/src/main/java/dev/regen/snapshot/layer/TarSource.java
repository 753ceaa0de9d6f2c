package dev.regen.snapshot.layer;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The bytes of a tar stream, in pieces. */
interface TarSource extends AutoCloseable {
  /**
   * The next bytes of the stream, at least one, or null at its end. The buffer is direct and good
   * until the next call.
   */
  @Nullable ByteBuffer next() throws IOException;

  @Override
  void close();
}
