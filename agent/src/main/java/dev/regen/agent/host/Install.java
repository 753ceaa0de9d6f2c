package dev.regen.agent.host;

import dev.regen.runtime.docker.Engine;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Puts Regen on a host: its program, the runtime's entry in the engine's configuration, and the
 * agent's service. Run again it brings everything up to date and leaves alone what is.
 */
public final class Install {
  private static final Duration RELOAD_LIMIT = Duration.ofSeconds(15);
  private static final Duration STEP = Duration.ofMillis(100);
  private static final List<String> SEARCHED =
      List.of("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin");

  private final Installation places;
  private final Disk disk;
  private final Engine engine;
  private final Consumer<String> say;

  /**
   * @param say hears one line a step
   */
  public Install(Installation places, Disk disk, Engine engine, Consumer<String> say) {
    this.places = places;
    this.disk = disk;
    this.engine = engine;
    this.say = say;
  }

  /**
   * Does all of it. The engine goes on with its containers; if it does not take the runtime, its
   * configuration is as before.
   *
   * @throws RegenException.Refused if something of the host does not allow it, with what to do
   */
  public void run() throws IOException, InterruptedException {
    Root.require("regen install");
    JsonObject info = engine.info();
    EngineProcess process = EngineProcess.find();
    placeProgram(info);
    register(process);
    if (Services.systemd()) {
      new Services(disk, places).start();
      say.accept("service regen.service is enabled and started, before docker.service at boot");
    } else {
      say.accept("no systemd here: start the agent with 'regen agent' before the engine, at boot");
    }
  }

  private void placeProgram(JsonObject info) throws IOException, InterruptedException {
    Program program = new Program(disk, places);
    String before = program.configured("REGEN_CLASSPATH");
    List<Path> jars = program.place(Program.ownJars());
    Path version = WholeFile.directoryOf(jars.getFirst());
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    JvmOptions options = JvmOptions.prepare(java, jars, say);
    Map<String, String> assignments = new LinkedHashMap<>();
    assignments.put("REGEN_RUNC", runc(info).toString());
    assignments.put("REGEN_HOME", places.home().toString());
    assignments.put("REGEN_RUN", places.run().toString());
    assignments.put("REGEN_DATA_ROOTS", String.join(" ", dataRoots(program, info)));
    assignments.put("REGEN_JAVA", java.toString());
    assignments.put("REGEN_CLASSPATH", StartupCache.joined(jars));
    assignments.put("REGEN_JAVA_OPTIONS", String.join(" ", options.hook()));
    assignments.put("REGEN_CLI_OPTIONS", String.join(" ", options.commandLine()));
    assignments.put("REGEN_AGENT_OPTIONS", String.join(" ", options.agent()));
    program.configure(assignments);
    program.placeScripts();
    program.linkCommand();
    program.removeOthers(
        version, before == null ? null : Path.of(before.split(":", 2)[0]).getParent());
    say.accept("program " + version + ", command " + places.command());
  }

  private void register(EngineProcess process) throws IOException, InterruptedException {
    EngineRegistration registration =
        new EngineRegistration(disk, process.configuration(), places.registration());
    boolean changed = registration.enter(places.front());
    if (!changed && knows()) {
      say.accept("runtime regen was in " + registration.file() + " already");
      return;
    }
    process.reload();
    if (!becomesKnown()) {
      if (changed) {
        registration.takeBack();
        process.reload();
      }
      throw new RegenException.Refused(
          "the engine did not take the runtime within "
              + RELOAD_LIMIT.toSeconds()
              + " s, so "
              + registration.file()
              + " is as before; the engine's log says why ('journalctl -u docker')");
    }
    say.accept("runtime regen is in " + registration.file() + "; the engine has read it");
  }

  private boolean becomesKnown() throws IOException, InterruptedException {
    Duration waited = Duration.ZERO;
    while (!knows()) {
      if (waited.compareTo(RELOAD_LIMIT) >= 0) {
        return false;
      }
      Thread.sleep(STEP);
      waited = waited.plus(STEP);
    }
    return true;
  }

  private boolean knows() throws IOException {
    return places.front().toString().equals(registeredPath(engine.info()));
  }

  /** Where the engine looks for Regen's runtime, or null. */
  static @Nullable String registeredPath(JsonObject info) throws IOException {
    JsonObject runtimes = info.objectOrNull("Runtimes");
    JsonObject runtime =
        runtimes == null ? null : runtimes.objectOrNull(EngineRegistration.RUNTIME);
    return runtime == null ? null : runtime.stringOrNull("path");
  }

  /** This engine's data root, and those of engines that Regen was installed for before. */
  private static Set<String> dataRoots(Program program, JsonObject info) throws IOException {
    Set<String> roots = new LinkedHashSet<>();
    String root = info.string("DockerRootDir");
    if (root.matches(".*\\s.*")) {
      throw new RegenException.Refused("the engine's data root, '" + root + "', has a space in it");
    }
    roots.add(root);
    String configured = program.configured("REGEN_DATA_ROOTS");
    if (configured != null) {
      for (String known : configured.split(" ", -1)) {
        if (Files.isDirectory(Path.of(known))) {
          roots.add(known);
        }
      }
    }
    return roots;
  }

  /** The runtime that does the work: the engine's own runc. */
  static Path runc(JsonObject info) throws IOException {
    JsonObject runtimes = info.objectOrNull("Runtimes");
    JsonObject runc = runtimes == null ? null : runtimes.objectOrNull("runc");
    String named = runc == null ? null : runc.stringOrNull("path");
    String name = named == null || named.isEmpty() ? "runc" : named;
    if (name.startsWith("/")) {
      return Path.of(name);
    }
    for (String directory : SEARCHED) {
      Path found = Path.of(directory, name);
      if (Files.isExecutable(found)) {
        return found;
      }
    }
    throw new RegenException.Refused(
        "there is no " + name + " in " + String.join(", ", SEARCHED) + "; install runc");
  }
}
