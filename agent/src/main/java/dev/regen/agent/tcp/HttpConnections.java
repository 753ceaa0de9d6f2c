package dev.regen.agent.tcp;

import java.util.concurrent.locks.ReentrantLock;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.internal.HttpConnection;

/**
 * HTTP/1.1 connections of which one thread at a time reads requests.
 *
 * <p>Jetty (12.1.10 to 12.1.13 at least) answers what is no HTTP, as the TLS greeting with which
 * Docker and skopeo try a port first, on another thread, and that thread reads on when it has
 * answered. Both then give the connection's buffer back: the second time it may already be somebody
 * else's, whose request is then spoilt, or refused with status 400 (jetty.project issue 12939).
 */
public final class HttpConnections extends HttpConnectionFactory {
  public HttpConnections(HttpConfiguration configuration) {
    super(configuration);
  }

  @Override
  public Connection newConnection(Connector connector, EndPoint endPoint) {
    HttpConnection made = new OneReader(getHttpConfiguration(), connector, endPoint);
    made.setTransferEncodingChunkMaxLength(getTransferEncodingChunkMaxLength());
    return configure(made, connector, endPoint);
  }

  private static final class OneReader extends HttpConnection {
    private final ReentrantLock reading = new ReentrantLock();

    OneReader(HttpConfiguration configuration, Connector connector, EndPoint endPoint) {
      super(configuration, connector, endPoint);
    }

    /**
     * The request is answered within this. Another thread comes here only when the answer is
     * complete and the first is on its way out, so neither waits for long.
     */
    @Override
    public void onFillable() {
      reading.lock();
      try {
        super.onFillable();
      } finally {
        reading.unlock();
      }
    }
  }
}
