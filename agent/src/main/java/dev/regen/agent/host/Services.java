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
public final class Services {
  private static final int LIMIT_SECONDS = 60;
  private static final Path RUNNING_SYSTEMD = Path.of("/run/systemd/system");

  /** Where the scripts have the agent write to. */
  private static final Path LOG = Path.of("/var/log/regen-agent.log");

  private final Disk disk;
  private final Installation places;

  Services(Disk disk, Installation places) {
    this.disk = disk;
    this.places = places;
  }

  static boolean systemd() {
    return Files.isDirectory(RUNNING_SYSTEMD);
  }

  /** Where the agent's log is, in words. */
  public static String log() {
    return systemd() ? "'journalctl -u regen'" : Files.exists(LOG) ? LOG.toString() : "its log";
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

  /**
   * Before the engine, so that it answers when restarting containers end and begin: docker.service
   * waits until the agent listens, or has ended, or for 10 s. An agent that cannot start is tried
   * again for ever and holds nothing up. A JVM that was asked to end exits with 143.
   */
  private String unit() {
    return """
    [Unit]
    Description=Regen agent: keeps what containers write
    Before=docker.service
    After=local-fs.target
    RequiresMountsFor=%1$s
    StartLimitIntervalSec=0

    [Service]
    ExecStart=%2$s agent
    ExecStartPost=-/bin/sh -c 'n=0; while [ $$n -lt 100 ] && kill -0 $$MAINPID; do \
      read -r pid <%3$s && [ "$$pid" = "$$MAINPID" ] && [ -p %4$s ] && exit; \
      sleep 0.1; n=$$((n + 1)); done 2>/dev/null'
    Restart=always
    RestartSec=1
    SuccessExitStatus=143
    KillMode=mixed
    TimeoutStopSec=30
    OOMScoreAdjust=-500
    LimitNOFILE=65536

    [Install]
    WantedBy=multi-user.target
    """
        .formatted(
            places.home(), places.launcher(), places.agentPid(), places.run().resolve("hook"));
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
