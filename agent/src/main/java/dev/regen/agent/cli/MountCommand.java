package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.Why;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Mount;
import dev.regen.runtime.overlay.MountTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "mount",
    description =
        "Shows a snapshot with its image below it at DIR, read-only; 'regen umount DIR' ends that.")
final class MountCommand extends AgentCommand {
  static final String SOURCE = "regen-";

  @Parameters(index = "0", paramLabel = "QUEUE@S", converter = QueueAddress.Converter.class)
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private QueueAddress address;

  @Parameters(index = "1", paramLabel = "DIR", description = "An empty directory.")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private Path directory;

  @Override
  int run(AgentClient agent) throws IOException, InterruptedException {
    if (!Files.isDirectory(directory)) {
      throw new CommandFailure(
          Failure.Code.NOT_FOUND, directory + " is no directory; make it first");
    }
    Path target = directory.toRealPath();
    requireEmpty(target);
    JsonObject prepared =
        follow(agent, agent.send("POST", address.snapshotPath() + "/mount", null));
    String id = prepared.string("id");
    try {
      Mount.mountFrom(
          Path.of(prepared.string("base")),
          SOURCE + id,
          target,
          "overlay",
          Mount.READ_ONLY,
          Fd.bytes("lowerdir=" + prepared.string("lowerdir")));
    } catch (IOException e) {
      agent.send("DELETE", "/v1/mounts/" + AgentClient.part(id), null);
      throw new CommandFailure(
          Failure.Code.FAILED, address + " could not be mounted on " + target + ": " + Why.of(e));
    }
    out().println(address + " is mounted read-only on " + target);
    return DONE;
  }

  /** A mount hides what is there, and could not even be undone on top of /proc. */
  private static void requireEmpty(Path target) throws IOException {
    if (MountTable.read().at(target) != null) {
      throw new CommandFailure(
          Failure.Code.REFUSED, target + " is a mount point already; name another directory");
    }
    String[] names = target.toFile().list();
    if (names == null || names.length > 0) {
      throw new CommandFailure(
          Failure.Code.REFUSED, target + " is not empty; name an empty directory");
    }
  }
}
