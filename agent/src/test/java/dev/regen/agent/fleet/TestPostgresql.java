package dev.regen.agent.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A PostgreSQL server of the test's own, in a directory that goes with it, run by no root. */
record TestPostgresql(Path directory, Path programs, int port) implements AutoCloseable {
  static TestPostgresql start() throws Exception {
    Path directory = Files.createTempDirectory(Path.of("/tmp"), "regen-postgresql-");
    run(List.of("chown", "postgres", directory.toString()));
    int port;
    try (ServerSocket socket = new ServerSocket(0)) {
      port = socket.getLocalPort();
    }
    TestPostgresql server = new TestPostgresql(directory, newestPrograms(), port);
    server.program("initdb", "-D", directory + "/data", "-U", "regen", "-A", "trust", "-E", "UTF8");
    server.program(
        "pg_ctl",
        "-D",
        directory + "/data",
        "-l",
        directory + "/log",
        "-w",
        "-o",
        "-p " + port + " -k " + directory + " -c listen_addresses=127.0.0.1 -c max_connections=60",
        "start");
    return server;
  }

  /** An empty database. */
  String database(String name) throws Exception {
    program("createdb", "-h", "127.0.0.1", "-p", String.valueOf(port), "-U", "regen", name);
    return "postgresql://regen:unused@127.0.0.1:" + port + "/" + name;
  }

  @Override
  public void close() throws IOException {
    program("pg_ctl", "-D", directory + "/data", "-m", "immediate", "-w", "stop");
    try (Stream<Path> all = Files.walk(directory)) {
      all.sorted(Comparator.reverseOrder()).forEach(TestPostgresql::delete);
    }
  }

  private void program(String name, String... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"));
    command.add(programs.resolve(name).toString());
    command.addAll(List.of(arguments));
    run(command);
  }

  private static Path newestPrograms() throws IOException {
    try (Stream<Path> versions = Files.list(Path.of("/usr/lib/postgresql"))) {
      return versions.max(Comparator.naturalOrder()).orElseThrow().resolve("bin");
    }
  }

  private static void run(List<String> command) throws IOException {
    Process process =
        new ProcessBuilder(command)
            .directory(Path.of("/tmp").toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    process.onExit().orTimeout(60, TimeUnit.SECONDS).join();
    assertThat(process.exitValue()).as("%s", command).isZero();
  }

  private static void delete(Path path) {
    try {
      Files.delete(path);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
