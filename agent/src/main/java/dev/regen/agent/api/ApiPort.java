package dev.regen.agent.api;

import dev.regen.agent.tcp.Listening;
import dev.regen.agent.tcp.TcpServer;
import java.io.IOException;
import java.net.URI;

/** The API on a TCP port, for those who bear a token. */
public final class ApiPort implements AutoCloseable {
  private static final int HEADER_BYTES_MAX = 16 << 10;
  private static final int BUFFER_BYTES = 64 << 10;

  private final TcpServer server;

  /** Answers from now on. */
  public ApiPort(Listening listening, Routes routes, ApiHandler.Callers callers, ApiLimits limits)
      throws IOException {
    server =
        new TcpServer(
            "API",
            listening,
            new TcpServer.Limits(
                HEADER_BYTES_MAX, BUFFER_BYTES, limits.connections(), limits.idle()),
            new ApiHandler(routes, callers, limits),
            ApiHandler::malformed);
  }

  /** Where it listens. */
  public URI uri() {
    return server.uri();
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
