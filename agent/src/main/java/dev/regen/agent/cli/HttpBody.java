package dev.regen.agent.cli;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** Bodies of HTTP/1.1 messages, in chunks or of a known length; one that breaks off is an error. */
final class HttpBody {
  private static final int LINE_BYTES_MAX = 8 << 10;
  private static final byte[] LINE_END = {'\r', '\n'};

  private HttpBody() {}

  /** One line without its end; at most {@value #LINE_BYTES_MAX} bytes. */
  static String line(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        throw new EOFException("the agent's answer broke off");
      }
      if (line.size() >= LINE_BYTES_MAX) {
        throw new IOException("the agent's answer has a line that is too long");
      }
      line.write(b);
    }
    String text = line.toString(StandardCharsets.ISO_8859_1);
    return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
  }

  static InputStream chunked(InputStream in) {
    return new InputStream() {
      private long left;
      private boolean ended;

      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] into, int offset, int length) throws IOException {
        if (left == 0 && !ended) {
          nextChunk();
        }
        if (ended) {
          return -1;
        }
        int count = in.read(into, offset, (int) Math.min(length, left));
        if (count < 0) {
          throw new EOFException("the agent's answer broke off");
        }
        left -= count;
        if (left == 0) {
          line(in);
        }
        return count;
      }

      private void nextChunk() throws IOException {
        String size = line(in).split(";", 2)[0].strip();
        try {
          left = Long.parseLong(size, 16);
        } catch (NumberFormatException e) {
          throw new IOException("the agent's answer is no HTTP", e);
        }
        if (left == 0) {
          ended = true;
          while (!line(in).isEmpty()) {
            // Trailers are of no use here.
          }
        }
      }
    };
  }

  static InputStream ofLength(InputStream in, long lengthBytes) {
    return new InputStream() {
      private long left = lengthBytes;

      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] into, int offset, int length) throws IOException {
        if (left == 0) {
          return -1;
        }
        int count = in.read(into, offset, (int) Math.min(length, left));
        if (count < 0) {
          throw new EOFException("the agent's answer broke off");
        }
        left -= count;
        return count;
      }
    };
  }

  /** Sends all of {@code body} in chunks. */
  static void sendChunked(InputStream body, OutputStream out) throws IOException {
    byte[] buffer = new byte[64 << 10];
    for (int count = body.read(buffer); count >= 0; count = body.read(buffer)) {
      if (count > 0) {
        out.write((Integer.toHexString(count) + "\r\n").getBytes(StandardCharsets.US_ASCII));
        out.write(buffer, 0, count);
        out.write(LINE_END);
      }
    }
    out.write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
  }
}
