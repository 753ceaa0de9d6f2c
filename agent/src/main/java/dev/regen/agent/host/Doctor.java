package dev.regen.agent.host;

import dev.regen.agent.AgentConfiguration;
import dev.regen.agent.node.NodeStatus;
import dev.regen.runtime.Why;
import dev.regen.runtime.docker.Engine;
import dev.regen.runtime.docker.EngineException;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.crypt.Keyset;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Looks at a host and tells what fits, what doesn't, and what mends it. Changes nothing. */
public final class Doctor {
  private static final Pattern KERNEL = Pattern.compile("([0-9]{1,4})\\.([0-9]{1,4}).*");
  private static final int KERNEL_MAJOR_MIN = 5;
  private static final int KERNEL_MINOR_MIN = 6;
  private static final String REINSTALL = "regen install (from the build, as root)";

  private final Installation places;
  private final Engine engine;
  private final Map<String, String> environment;

  /**
   * @param environment what the agent's configuration may be moved by
   */
  public Doctor(Installation places, Engine engine, Map<String, String> environment) {
    this.places = places;
    this.engine = engine;
    this.environment = Map.copyOf(environment);
  }

  /** All checks, in the order in which one would mend things. */
  public List<Check> examine() {
    List<Check> checks = new ArrayList<>();
    checks.add(attempt("root", this::root));
    checks.add(attempt("kernel", Doctor::kernel));
    checks.add(attempt("overlay", Doctor::overlay));
    checks.add(attempt("program", this::program));
    checks.add(attempt("start-up caches", this::caches));
    JsonObject info = null;
    try {
      info = engine.info();
      checks.add(Check.fits("engine", "Docker " + info.string("ServerVersion") + " answers"));
    } catch (IOException e) {
      checks.add(
          Check.wrong(
              "engine", message(e), "start it: systemctl start docker, or dockerd in background"));
    }
    if (info != null) {
      JsonObject told = info;
      EngineChecks engineChecks = new EngineChecks(places, told);
      checks.addAll(engineChecks.all());
    }
    checks.add(attempt("agent", this::agent));
    checks.add(attempt("service", this::service));
    checks.add(attempt("fleet", this::fleet));
    checks.add(attempt("encryption keys", this::keys));
    checks.add(attempt("disk", () -> DiskRoom.check("disk for snapshots", places.home())));
    return checks;
  }

  /** One look at the host. */
  interface Look {
    Check look() throws IOException;
  }

  static Check attempt(String name, Look look) {
    try {
      return look.look();
    } catch (EngineException e) {
      return Check.wrong(name, message(e), "see the engine's log");
    } catch (IOException e) {
      return Check.wrong(name, message(e), "run it as root; otherwise the message says what to do");
    }
  }

  private Check root() throws IOException {
    return Root.is()
        ? Check.fits("root", "this runs as root")
        : Check.better("root", "not root: not everything can be seen", "sudo regen doctor");
  }

  private static Check kernel() throws IOException {
    String release = Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip();
    Matcher matcher = KERNEL.matcher(release);
    int major = matcher.matches() ? Integer.parseInt(matcher.group(1)) : 0;
    int minor = matcher.matches() ? Integer.parseInt(matcher.group(2)) : 0;
    boolean enough =
        major > KERNEL_MAJOR_MIN || (major == KERNEL_MAJOR_MIN && minor >= KERNEL_MINOR_MIN);
    return enough
        ? Check.fits("kernel", "Linux " + release)
        : Check.wrong(
            "kernel",
            "Linux " + release + " has no openat2, without which no archive is unpacked safely",
            "boot Linux 5.6 or newer");
  }

  private static Check overlay() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/filesystems"))) {
      if (line.strip().endsWith("overlay")) {
        return Check.fits("overlay", "the kernel has it");
      }
    }
    return Check.wrong("overlay", "the kernel has not loaded it", "modprobe overlay");
  }

  private Check program() throws IOException {
    Program program = new Program(new LocalDisk(), places);
    String java = program.configured("REGEN_JAVA");
    String jars = program.configured("REGEN_CLASSPATH");
    if (java == null || jars == null || !Files.isExecutable(places.front())) {
      return Check.wrong("program", "not installed under " + places.program(), REINSTALL);
    }
    if (!Files.isExecutable(Path.of(java))) {
      return Check.wrong(
          "program", "the JDK it was installed with, " + java + ", is gone", REINSTALL);
    }
    for (String jar : jars.split(":", -1)) {
      if (!Files.isReadable(Path.of(jar))) {
        return Check.wrong("program", jar + " is missing", REINSTALL);
      }
    }
    String runc = program.configured("REGEN_RUNC");
    if (runc == null || !Files.isExecutable(Path.of(runc))) {
      return Check.wrong(
          "program", "there is no runc at " + runc, "install runc, then " + REINSTALL);
    }
    return Check.fits("program", places.program() + ", on " + java + ", around " + runc);
  }

  private Check caches() throws IOException {
    Program program = new Program(new LocalDisk(), places);
    for (String name : List.of("REGEN_JAVA_OPTIONS", "REGEN_CLI_OPTIONS")) {
      String cache = cache(program.configured(name));
      if (cache == null || !Files.isReadable(Path.of(cache))) {
        return Check.better(
            "start-up caches",
            "missing: commands and hooks without an agent are slower",
            REINSTALL);
      }
      if (!cache.contains(Runtime.version().toString())) {
        return Check.better("start-up caches", "made for another JDK: " + cache, REINSTALL);
      }
    }
    return Check.fits("start-up caches", "made for JDK " + Runtime.version());
  }

  private static @Nullable String cache(@Nullable String options) {
    if (options == null) {
      return null;
    }
    for (String option : options.split(" ", -1)) {
      if (option.startsWith("-XX:AOTCache=")) {
        return option.substring("-XX:AOTCache=".length());
      }
    }
    return null;
  }

  private Check agent() throws IOException {
    int pid = AgentProcess.running(places.agentPid());
    if (pid == 0) {
      return Check.wrong(
          "agent",
          "none runs: ends are kept, but not archived, and hooks are slower",
          Services.systemd() ? "systemctl start regen" : "regen agent & (as root)");
    }
    if (!Files.exists(places.socket()) || !Files.exists(places.run().resolve("hook"))) {
      return Check.wrong(
          "agent",
          "process " + pid + " runs but listens nowhere",
          "kill " + pid + ", start it again");
    }
    String line = Files.readString(Path.of("/proc", Integer.toString(pid), "cmdline"));
    String jars = new Program(new LocalDisk(), places).configured("REGEN_CLASSPATH");
    if (jars != null && !line.contains(jars)) {
      return Check.better(
          "agent",
          "process " + pid + " runs another version than is installed",
          Services.systemd() ? "systemctl restart regen" : "kill " + pid + " and start it again");
    }
    return Check.fits("agent", "process " + pid + " listens on " + places.socket());
  }

  private Check service() {
    if (!Services.systemd()) {
      return Check.better(
          "service",
          "no systemd: nobody starts the agent at boot",
          "have whatever starts dockerd start 'regen agent' before it");
    }
    return Files.exists(places.unit())
        ? Check.fits("service", places.unit() + " starts the agent before the engine")
        : Check.wrong("service", "there is no " + places.unit(), REINSTALL);
  }

  private Check fleet() throws IOException {
    NodeStatus status = NodeStatus.read(places.run()).orElse(null);
    if (status == null) {
      return Check.fits("fleet", "this host is no node of a fleet");
    }
    String trouble = status.trouble();
    String where = "node " + status.node() + " of " + status.manager();
    if (trouble == null) {
      return Check.fits("fleet", where + ", connected since " + status.since());
    }
    String remedy = status.remedy();
    return Check.wrong(
        "fleet",
        where + ", not connected since " + status.since() + ": " + trouble,
        remedy == null ? "look at the manager and the network; the agent tries again" : remedy);
  }

  private Check keys() throws IOException {
    LocalDisk disk = new LocalDisk();
    Path file = AgentConfiguration.load(disk, environment).keyset();
    Keyset keyset = new Keyset(new Records(disk), file, InstantSource.system());
    return EncryptionKeys.check(places.home(), keyset);
  }

  private static String message(IOException e) {
    return Why.of(e);
  }
}
