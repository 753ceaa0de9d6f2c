package dev.regen.agent.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.ExecutionStrategy;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.junit.jupiter.api.Test;

/** A client that greets with TLS where plain HTTP is spoken, as every Docker does once. */
final class HttpConnectionsTest {
  private static final int LIMIT_SECONDS = 30;

  /** How TLS begins. */
  private static final byte[] HELLO = {0x16, 3, 1, 0, 1, 1};

  @Test
  void aConnectionIsReadByOneThreadAtATime() throws Exception {
    assertThat(second(new HttpConnections(new HttpConfiguration())))
        .as("the second reader, while the first is not through")
        .isEqualTo(Thread.State.WAITING);
  }

  /** When this fails, Jetty has mended it, and {@link HttpConnections} may go. */
  @Test
  void ofJettyItselfTwoThreadsReadIt() throws Exception {
    assertThat(second(new HttpConnectionFactory(new HttpConfiguration())))
        .isEqualTo(Thread.State.TERMINATED);
  }

  /** What becomes of the thread that reads on after the error is answered. */
  private static Thread.State second(HttpConnectionFactory factory) throws Exception {
    Pool pool = new Pool();
    Server server = new Server(pool);
    ServerConnector connector = new ServerConnector(server, 1, 1, factory);
    connector.setHost(InetAddress.getLoopbackAddress().getHostAddress());
    server.addConnector(connector);
    server.start();
    try (Socket client = new Socket(InetAddress.getLoopbackAddress(), connector.getLocalPort())) {
      client.setSoTimeout(LIMIT_SECONDS * 1_000);
      client.getOutputStream().write(HELLO);
      Thread.State state = pool.seen.get(LIMIT_SECONDS, TimeUnit.SECONDS);
      assertThat(answer(client)).startsWith("HTTP/1.1 400 ");
      return state;
    } finally {
      server.stop();
    }
  }

  private static String answer(Socket client) throws IOException {
    return new String(client.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
  }

  /** Keeps the first reader where it is until it is known what the second one does. */
  private static final class Pool extends QueuedThreadPool {
    private final CompletableFuture<Thread> second = new CompletableFuture<>();
    private final CompletableFuture<Thread.State> seen = new CompletableFuture<>();

    @Override
    public boolean tryExecute(Runnable task) {
      if (task instanceof ExecutionStrategy) {
        return super.tryExecute(task);
      }
      Thread.ofPlatform().name("error").start(task);
      try {
        seen.complete(settled(second.get(LIMIT_SECONDS, TimeUnit.SECONDS)));
      } catch (ExecutionException | InterruptedException | TimeoutException e) {
        seen.completeExceptionally(e);
      }
      return true;
    }

    @Override
    public void execute(Runnable job) {
      if (job instanceof Connection) {
        second.complete(Thread.ofPlatform().name("second").start(job));
      } else {
        super.execute(job);
      }
    }

    private static Thread.State settled(Thread thread) throws InterruptedException {
      while (thread.getState() != Thread.State.WAITING && thread.isAlive()) {
        Thread.sleep(1);
      }
      return thread.getState();
    }
  }
}
