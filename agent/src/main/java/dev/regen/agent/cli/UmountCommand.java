package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.os.Mount;
import dev.regen.runtime.overlay.MountTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "umount", description = "Ends a 'regen mount'.")
final class UmountCommand extends AgentCommand {
  @Parameters(index = "0", paramLabel = "DIR")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private Path directory;

  @Override
  int run(AgentClient agent) throws IOException {
    if (!Files.isDirectory(directory)) {
      throw new CommandFailure(Failure.Code.NOT_FOUND, directory + " is no directory");
    }
    Path target = directory.toRealPath();
    MountTable.Entry mount = MountTable.read().at(target);
    if (mount == null || !mount.source().startsWith(MountCommand.SOURCE)) {
      throw new CommandFailure(
          Failure.Code.REFUSED, target + " is nothing that 'regen mount' has mounted");
    }
    Mount.detach(target);
    String id = mount.source().substring(MountCommand.SOURCE.length());
    agent.send("DELETE", "/v1/mounts/" + AgentClient.part(id), null);
    return DONE;
  }
}
