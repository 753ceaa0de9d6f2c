package dev.regen.agent.storage;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;

/** Passes connections on to a server, so many bytes a second in all, both ways together. */
public final class SlowProxy implements AutoCloseable {
  private static final int PIECE_BYTES = 16 << 10;

  private final ServerSocket listening = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final URI target;
  private final long nanosPerPiece;
  private long freeAtNanos = System.nanoTime();
  private long passedBytes;

  public SlowProxy(URI target, int bytesPerSecond) throws IOException {
    this.target = target;
    this.nanosPerPiece = PIECE_BYTES * 1_000_000_000L / bytesPerSecond;
    threads.execute(this::accept);
  }

  public URI uri() {
    return URI.create("http://127.0.0.1:" + listening.getLocalPort());
  }

  /** What went through so far. */
  public synchronized long passedBytes() {
    return passedBytes;
  }

  @Override
  public void close() throws IOException {
    listening.close();
    threads.shutdownNow();
  }

  private void accept() {
    while (!listening.isClosed()) {
      try {
        Socket client = listening.accept();
        threads.execute(() -> connect(client));
      } catch (IOException e) {
        // Closed.
      }
    }
  }

  private void connect(Socket client) {
    try {
      Socket server = new Socket(target.getHost(), target.getPort());
      threads.execute(() -> pass(client, server));
      pass(server, client);
    } catch (IOException e) {
      closeQuietly(client);
    }
  }

  private static void closeQuietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // It is of no use either way.
    }
  }

  private void pass(Socket from, Socket to) {
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      byte[] piece = new byte[PIECE_BYTES];
      for (int read = in.read(piece); read > 0; read = in.read(piece)) {
        LockSupport.parkNanos(turn(read) - System.nanoTime());
        out.write(piece, 0, read);
      }
    } catch (IOException e) {
      // One of them went away.
    }
  }

  private synchronized long turn(int bytes) {
    passedBytes += bytes;
    freeAtNanos = Math.max(freeAtNanos, System.nanoTime()) + nanosPerPiece * bytes / PIECE_BYTES;
    return freeAtNanos;
  }
}
