package dev.regen.agent.host;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Takes back what {@link Install} did, and that alone; queues and snapshots stay. */
public final class Uninstall {
  private static final Path USUAL_DATA_ROOT = Path.of("/var/lib/docker");
  private static final Path USUAL_CONFIGURATION = Path.of("/etc/docker/daemon.json");
  private static final Duration AGENT_LIMIT = Duration.ofSeconds(30);

  private final Installation places;
  private final Disk disk;
  private final Consumer<String> say;

  /**
   * @param say hears one line a step
   */
  public Uninstall(Installation places, Disk disk, Consumer<String> say) {
    this.places = places;
    this.disk = disk;
    this.say = say;
  }

  /**
   * Does all of it, with the engine running or not.
   *
   * @param force although containers with this runtime are there, which then cannot be started
   * @param purge queues, snapshots and everything that waits to be archived as well
   * @throws RegenException.Refused if such containers are there; nothing is changed
   */
  public void run(boolean force, boolean purge) throws IOException, InterruptedException {
    Root.require("regen uninstall");
    List<Path> dataRoots = dataRoots();
    refuseWhileUsed(dataRoots, force);
    unregister();
    stopAgent();
    new Program(disk, places).unlinkCommand();
    if (Files.exists(places.program())) {
      TreeRemoval.remove(places.program());
    }
    say.accept(places.program() + " and " + places.command() + " are gone");
    if (purge) {
      purge(dataRoots);
    } else if (Files.exists(places.home())) {
      say.accept(
          places.home() + " stays, with all snapshots; 'regen uninstall --purge' removes it");
    }
  }

  private void refuseWhileUsed(List<Path> dataRoots, boolean force) throws IOException {
    List<String> users = new ArrayList<>();
    for (Path root : dataRoots) {
      users.addAll(Containers.withRuntime(root, EngineRegistration.RUNTIME));
    }
    if (users.isEmpty()) {
      return;
    }
    String all = String.join(", ", users);
    if (!force) {
      throw new RegenException.Refused(
          "containers are made for this runtime and could not start without it: "
              + all
              + "; remove them, or use --force");
    }
    say.accept("these containers cannot be started any more: " + all);
  }

  private void unregister() throws IOException {
    EngineProcess process = runningEngine();
    Path file = process == null ? USUAL_CONFIGURATION : process.configuration();
    boolean changed = new EngineRegistration(disk, file, places.registration()).takeBack();
    if (!changed) {
      say.accept("runtime regen was not in " + file);
    } else if (process == null) {
      say.accept("runtime regen is out of " + file);
    } else {
      process.reload();
      say.accept("runtime regen is out of " + file + "; the engine was told");
    }
  }

  private void stopAgent() throws IOException, InterruptedException {
    if (Services.systemd()) {
      new Services(disk, places).stop();
    }
    if (!AgentProcess.end(places.agentPid(), AGENT_LIMIT)) {
      throw new RegenException.Refused(
          "the agent, process "
              + AgentProcess.running(places.agentPid())
              + ", did not end within "
              + AGENT_LIMIT.toSeconds()
              + " s; it goes on with what it is at, run this again later");
    }
  }

  private void purge(List<Path> dataRoots) throws IOException {
    List<Path> all = new ArrayList<>(List.of(places.home(), places.run()));
    for (Path root : dataRoots) {
      all.add(root.resolve(Staging.NAME));
    }
    for (Path tree : all) {
      if (Files.exists(tree)) {
        TreeRemoval.remove(tree);
        say.accept(tree + " is gone");
      }
    }
  }

  private List<Path> dataRoots() throws IOException {
    String configured = new Program(disk, places).configured("REGEN_DATA_ROOTS");
    List<Path> roots = new ArrayList<>();
    for (String root :
        (configured == null ? USUAL_DATA_ROOT.toString() : configured).split(" ", -1)) {
      roots.add(Path.of(root));
    }
    return roots;
  }

  private static @Nullable EngineProcess runningEngine() throws IOException {
    try {
      return EngineProcess.find();
    } catch (RegenException.Refused e) {
      return null;
    }
  }
}
