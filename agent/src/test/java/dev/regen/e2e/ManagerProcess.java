package dev.regen.e2e;

import dev.regen.agent.api.Role;
import dev.regen.agent.fleet.Fleet;
import dev.regen.agent.fleet.FleetClient;
import dev.regen.agent.fleet.db.FleetUrl;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;

/** {@code regen manager --fleet} as a process, which may be killed and started again. */
final class ManagerProcess implements AutoCloseable {
  private final int port;
  private final Path directory;
  private final FleetClient admin;
  private Daemon process;

  /**
   * @param directory for its database and its log
   */
  ManagerProcess(Path directory) throws IOException, InterruptedException {
    this.directory = directory;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    FleetUrl database = new FleetUrl.Sqlite(directory.resolve("fleet.db"));
    admin =
        new FleetClient(uri(), Fleet.token(database, InstantSource.system(), "root", Role.ADMIN));
    process = started();
  }

  URI uri() {
    return URI.create("http://127.0.0.1:" + port);
  }

  /** Asks it as an administrator. */
  FleetClient admin() {
    return admin;
  }

  void kill() throws InterruptedException {
    process.stop(true);
  }

  void startAgain() throws IOException, InterruptedException {
    process = started();
  }

  @Override
  public void close() {
    admin.close();
    try {
      process.stop(true);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Daemon started() throws IOException, InterruptedException {
    Daemon made =
        Daemon.start(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx160m",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.regen.agent.Main",
                "manager",
                "--listen=127.0.0.1:" + port,
                "--fleet=sqlite:" + directory.resolve("fleet.db")),
            Map.of(),
            directory.resolve("manager.log"));
    Host.await("the manager", () -> !made.alive() || isUp());
    return made;
  }

  private boolean isUp() {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }
}
