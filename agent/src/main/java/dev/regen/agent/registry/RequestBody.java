package dev.regen.agent.registry;

import dev.regen.snapshot.registry.RegistryException;
import dev.regen.snapshot.registry.Uploads;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/** A request's body as it arrives, of any length, declared or not. For one thread. */
final class RequestBody implements Uploads.Body, AutoCloseable {
  private final Request request;
  private Content.@Nullable Chunk given;

  RequestBody(Request request) {
    this.request = request;
  }

  /**
   * All of a short body.
   *
   * @throws RegistryException SIZE_INVALID if it is longer than that
   */
  static byte[] whole(Request request, int limitBytes) throws IOException {
    try (InputStream in = Content.Source.asInputStream(request)) {
      byte[] bytes =
          request.getLength() > limitBytes
              ? new byte[limitBytes + 1]
              : in.readNBytes(limitBytes + 1);
      if (bytes.length > limitBytes) {
        throw new TooLong(limitBytes);
      }
      return bytes;
    }
  }

  /** A body that is longer than it may be. */
  static final class TooLong extends IOException {
    private static final long serialVersionUID = 1;

    TooLong(int limitBytes) {
      super("at most " + limitBytes + " bytes are taken here");
    }
  }

  @Override
  public @Nullable ByteBuffer next() throws IOException {
    release();
    while (true) {
      Content.Chunk chunk = request.read();
      if (chunk == null) {
        await();
      } else if (Content.Chunk.isFailure(chunk)) {
        throw new Uploads.Gone("the body ended early: " + chunk.getFailure(), chunk.getFailure());
      } else if (chunk.hasRemaining()) {
        given = chunk;
        return chunk.getByteBuffer();
      } else {
        chunk.release();
        if (chunk.isLast()) {
          return null;
        }
      }
    }
  }

  @Override
  public void close() {
    release();
  }

  private void release() {
    Content.Chunk before = given;
    if (before != null) {
      given = null;
      before.release();
    }
  }

  private void await() throws InterruptedIOException {
    CountDownLatch arrived = new CountDownLatch(1);
    request.demand(arrived::countDown);
    try {
      arrived.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }
}
