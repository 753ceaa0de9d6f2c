package dev.regen.agent.node;

import dev.regen.runtime.json.JsonObject;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Server-sent events of a manager, for one reader. Source: WHATWG, HTML, 9.2 "Server-sent events".
 */
final class MessageStream implements AutoCloseable {
  private static final int LINE_BYTES_MAX = 256 << 10;

  private final InputStream in;
  private volatile long heardAtNanos = System.nanoTime();

  /** A message, and its place among those of the node. */
  record Message(long seq, JsonObject json) {}

  MessageStream(InputStream in) {
    this.in = new BufferedInputStream(in);
  }

  /** The next message, null at the end. */
  @Nullable Message next() throws IOException {
    long seq = 0;
    String data = null;
    while (true) {
      String line = line();
      if (line == null) {
        return null;
      }
      if (line.isEmpty() && data != null) {
        return new Message(seq, JsonObject.parse(data));
      } else if (line.startsWith("id: ") && line.substring(4).matches("[0-9]{1,18}")) {
        seq = Long.parseLong(line.substring(4));
      } else if (line.startsWith("data: ")) {
        data = line.substring(6);
      }
    }
  }

  /** Whether nothing was heard for so long: not even that the other end lives. */
  boolean silentFor(Duration limit) {
    return System.nanoTime() - heardAtNanos > limit.toNanos();
  }

  /** Ends {@link #next} on another thread too. */
  @Override
  public void close() throws IOException {
    in.close();
  }

  private @Nullable String line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int read = in.read(); read >= 0; read = in.read()) {
      heardAtNanos = System.nanoTime();
      if (read == '\n') {
        return line.toString(StandardCharsets.UTF_8);
      }
      if (line.size() >= LINE_BYTES_MAX) {
        throw new IOException("a line of the manager's is too long");
      }
      line.write(read);
    }
    return null;
  }
}
