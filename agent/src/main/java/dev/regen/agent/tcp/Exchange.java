package dev.regen.agent.tcp;

import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.ByteBufferPool;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Fields;
import org.jspecify.annotations.Nullable;

/** A request and its answer. Each {@code answer} ends it, and is the last thing to be called. */
public record Exchange(Request request, Response response, Callback callback) {
  private static final int FILE_BUFFER_BYTES = 64 << 10;
  private static final int TEXT_MAX = 255;
  private static final int DISCARDED_BYTES_MAX = 16 << 20;
  private static final Duration DISCARD_LIMIT = Duration.ofSeconds(10);

  public String method() {
    return request.getMethod();
  }

  /** A header that must be there. */
  public String required(String name) throws RegenException {
    String value = header(name);
    if (value == null) {
      throw new RegenException.BadInput("the header " + name + " is missing");
    }
    return value;
  }

  public @Nullable String header(String name) throws RegenException {
    String value = request.getHeaders().get(name);
    if (value != null && value.length() > TEXT_MAX) {
      throw new RegenException.BadInput("the header " + name + " is too long");
    }
    return value;
  }

  /** A parameter of the query, empty if it is not there. */
  public String query(String name) throws RegenException {
    Fields fields = Request.extractQueryParameters(request);
    String value = fields.getValue(name);
    if (value != null && value.length() > TEXT_MAX) {
      throw new RegenException.BadInput("'" + name + "' is too long");
    }
    return value == null ? "" : value;
  }

  public void set(String header, String value) {
    response.getHeaders().put(header, value);
  }

  public void answer(int status) {
    response.setStatus(status);
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, 0);
    response.write(true, null, callback);
  }

  public void answer(int status, String type, byte[] body) {
    response.setStatus(status);
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, type);
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
    response.write(true, ByteBuffer.wrap(body), callback);
  }

  /** As {@link #answer(int, String, byte[])}, and returns when all of it is sent. */
  public void send(int status, String type, byte[] body) throws IOException {
    response.setStatus(status);
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, type);
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
    Content.Sink.write(response, true, ByteBuffer.wrap(body));
    callback.succeeded();
  }

  /** Begins an answer of {@code length} bytes: {@link #write} sends them, {@link #end} ends it. */
  public void begin(int status, String type, long length) {
    response.setStatus(status);
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, type);
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, length);
  }

  /** Returns when the bytes are sent. */
  public void write(ByteBuffer some) throws IOException {
    Content.Sink.write(response, false, some);
  }

  public void end() throws IOException {
    Content.Sink.write(response, true, ByteBuffer.allocate(0));
    callback.succeeded();
  }

  /** Some bytes of a file; the connection breaks if it ends before. */
  public void answer(int status, Path file, long offset, long length) throws IOException {
    response.setStatus(status);
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/octet-stream");
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, length);
    ByteBufferPool.Sized buffers =
        new ByteBufferPool.Sized(
            request.getComponents().getByteBufferPool(), true, FILE_BUFFER_BYTES);
    Content.copy(Content.Source.from(buffers, file, offset, length), response, callback);
  }

  /** Says what is wrong before the rest of the body is read: a client may send until it is told. */
  public void refuse(int status, String type, byte[] body) {
    if (response.isCommitted()) {
      callback.failed(new IOException("status " + status + " came too late to be told"));
      return;
    }
    response.setStatus(status);
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, type);
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
    try {
      boolean none = request.getMethod().equals("HEAD");
      Content.Sink.write(response, true, ByteBuffer.wrap(none ? new byte[0] : body));
    } catch (IOException e) {
      callback.failed(e);
      return;
    }
    discard();
    callback.succeeded();
  }

  /**
   * Reads on a little: if the connection ended, a client that is still sending might not read its
   * answer.
   */
  private void discard() {
    if (request.getLength() > DISCARDED_BYTES_MAX) {
      return;
    }
    request
        .getConnectionMetaData()
        .getConnection()
        .getEndPoint()
        .setIdleTimeout(DISCARD_LIMIT.toMillis());
    byte[] some = new byte[16 << 10];
    long begin = System.nanoTime();
    try {
      InputStream in = Content.Source.asInputStream(request);
      for (long all = 0; all <= DISCARDED_BYTES_MAX; ) {
        int read = in.read(some);
        if (read < 0 || System.nanoTime() - begin > DISCARD_LIMIT.toNanos()) {
          return;
        }
        all += read;
      }
    } catch (IOException e) {
      // The connection ends then; the answer is the same.
    }
  }
}
