package dev.regen.e2e;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** {@code regen storage} as a process. */
final class StorageProcess implements AutoCloseable {
  private final int port;
  private final Daemon process;

  StorageProcess(Host host) throws IOException, InterruptedException {
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    List<String> words =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx160m",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            "dev.regen.agent.Main",
            "storage",
            "--listen=127.0.0.1:" + port,
            "--dir=" + host.shared().resolve("store"));
    process = Daemon.start(words, Map.of(), host.shared().resolve("storage.log"));
    Host.await("the storage server", () -> !process.alive() || isUp());
  }

  String url() {
    return "http://127.0.0.1:" + port;
  }

  private boolean isUp() {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void close() {
    try {
      process.stop(false);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
