package dev.regen.agent.host;

import java.nio.file.Path;
import java.util.Map;

/**
 * Where things are on a host.
 *
 * @param program what {@code install} owns and {@code uninstall} removes
 * @param command the name on the PATH
 * @param units where systemd looks for units
 * @param home queues, snapshots and chunks
 * @param run sockets and the agent's process id
 */
public record Installation(Path program, Path command, Path units, Path home, Path run) {
  /** The usual places; {@code REGEN_HOME} and {@code REGEN_RUN} move the last two. */
  public static Installation of(Map<String, String> environment) {
    return new Installation(
        Path.of("/usr/local/lib/regen"),
        Path.of("/usr/local/bin/regen"),
        Path.of("/etc/systemd/system"),
        Path.of(environment.getOrDefault("REGEN_HOME", "/var/lib/regen")),
        Path.of(environment.getOrDefault("REGEN_RUN", "/run/regen")));
  }

  /** What the engine calls in place of runc. */
  Path front() {
    return program.resolve("bin/regen-runtime");
  }

  Path launcher() {
    return program.resolve("bin/regen");
  }

  /** Shell assignments that the front and the launcher read. */
  Path configuration() {
    return program.resolve("runtime.conf");
  }

  /** A directory a version. */
  Path versions() {
    return program.resolve("lib");
  }

  /** What was changed in the engine's configuration. */
  Path registration() {
    return program.resolve("registration.json");
  }

  Path unit() {
    return units.resolve("regen.service");
  }

  Path socket() {
    return run.resolve("regen.sock");
  }

  Path agentPid() {
    return run.resolve("agent.pid");
  }
}
