package dev.regen.snapshot.remote.s3;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicLong;

/** Lets bytes through, until it is to cut the next long upload. */
final class CuttingProxy implements AutoCloseable {
  private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final int target;
  private final AtomicLong left = new AtomicLong(Long.MAX_VALUE);

  CuttingProxy(int target) throws IOException {
    this.target = target;
    Thread.ofVirtual().start(this::accept);
  }

  int port() {
    return server.getLocalPort();
  }

  void cutAfter(long bytes) {
    left.set(bytes);
  }

  private void accept() {
    try {
      while (true) {
        Socket from = server.accept();
        Socket to = new Socket(InetAddress.getLoopbackAddress(), target);
        Thread.ofVirtual().start(() -> copy(from, to, true));
        Thread.ofVirtual().start(() -> copy(to, from, false));
      }
    } catch (IOException e) {
      // The test is over.
    }
  }

  private void copy(Socket from, Socket to, boolean up) {
    try (from;
        to) {
      byte[] some = new byte[8192];
      for (int n = from.getInputStream().read(some); n >= 0; n = from.getInputStream().read(some)) {
        if (up && left.get() != Long.MAX_VALUE && left.addAndGet(-n) < 0) {
          left.set(Long.MAX_VALUE);
          return;
        }
        to.getOutputStream().write(some, 0, n);
      }
    } catch (IOException e) {
      // Either side has closed.
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
