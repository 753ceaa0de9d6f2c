package dev.regen.agent.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;

/** A connection to a Unix socket whose reads and writes end after a limit of silence. */
final class TimedStream implements AutoCloseable {
  private final SocketChannel channel;
  private final Selector selector;
  private final long limitMillis;

  TimedStream(Path socket, Duration silenceLimit) throws IOException {
    limitMillis = silenceLimit.toMillis();
    channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.connect(UnixDomainSocketAddress.of(socket));
      channel.configureBlocking(false);
      selector = Selector.open();
      channel.register(selector, 0);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  InputStream input() {
    return new InputStream() {
      private final ByteBuffer buffer = ByteBuffer.allocate(64 << 10).limit(0);

      @Override
      public int read() throws IOException {
        return fill() ? buffer.get() & 0xff : -1;
      }

      @Override
      public int read(byte[] into, int offset, int length) throws IOException {
        if (length == 0) {
          return 0;
        }
        if (!fill()) {
          return -1;
        }
        int count = Math.min(length, buffer.remaining());
        buffer.get(into, offset, count);
        return count;
      }

      private boolean fill() throws IOException {
        if (buffer.hasRemaining()) {
          return true;
        }
        buffer.clear();
        int count = channel.read(buffer);
        while (count == 0) {
          await(SelectionKey.OP_READ);
          count = channel.read(buffer);
        }
        buffer.flip();
        return count > 0;
      }
    };
  }

  OutputStream output() {
    return new OutputStream() {
      @Override
      public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
      }

      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        ByteBuffer rest = ByteBuffer.wrap(bytes, offset, length);
        while (rest.hasRemaining()) {
          if (channel.write(rest) == 0) {
            await(SelectionKey.OP_WRITE);
          }
        }
      }
    };
  }

  @Override
  public void close() throws IOException {
    try (channel;
        selector) {
      // Both are closed, whatever becomes of the first.
    }
  }

  private void await(int what) throws IOException {
    SelectionKey key = channel.keyFor(selector);
    key.interestOps(what);
    if (selector.select(limitMillis) == 0) {
      throw new InterruptedIOException("the agent was silent for " + limitMillis / 1000 + " s");
    }
    selector.selectedKeys().clear();
  }
}
