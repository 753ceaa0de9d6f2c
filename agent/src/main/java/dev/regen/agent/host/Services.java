package dev.regen.agent.host;

import dev.regen.runtime.durable.Disk;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The agent as a service of systemd; where there is no systemd, somebody else starts it. */
final class Services {
  private static final int LIMIT_SECONDS = 60;
  private static final Path RUNNING_SYSTEMD = Path.of("/run/systemd/system");

  private final Disk disk;
  private final Installation places;

  Services(Disk disk, Installation places) {
    this.disk = disk;
    this.places = places;
  }

  static boolean systemd() {
    return Files.isDirectory(RUNNING_SYSTEMD);
  }

  /** Writes the unit, enables it, and starts the agent anew. */
  void start() throws IOException, InterruptedException {
    byte[] unit = unit().getBytes(StandardCharsets.UTF_8);
    new Program(disk, places).replace(places.unit(), unit, "rw-r--r--");
    systemctl("daemon-reload");
    systemctl("enable", "regen.service");
    systemctl("restart", "regen.service");
  }

  void stop() throws IOException, InterruptedException {
    if (Files.exists(places.unit())) {
      systemctl("disable", "--now", "regen.service");
      disk.delete(places.unit());
      systemctl("daemon-reload");
    }
  }

  /** Before the engine, so that it answers when restarting containers end and begin. */
  private String unit() {
    return """
    [Unit]
    Description=Regen agent: keeps what containers write
    Before=docker.service
    After=local-fs.target
    RequiresMountsFor=%s

    [Service]
    ExecStart=%s agent
    Restart=always
    RestartSec=1
    KillMode=mixed
    TimeoutStopSec=30
    OOMScoreAdjust=-500
    LimitNOFILE=65536

    [Install]
    WantedBy=multi-user.target
    """
        .formatted(places.home(), places.launcher());
  }

  private static void systemctl(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("systemctl"));
    command.addAll(Arrays.asList(arguments));
    Process process = new ProcessBuilder(command).inheritIO().start();
    if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException("'" + String.join(" ", command) + "' took over a minute");
    }
    if (process.exitValue() != 0) {
      throw new IOException(
          "'" + String.join(" ", command) + "' failed with " + process.exitValue());
    }
  }
}
