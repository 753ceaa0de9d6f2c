package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.json.JsonObject;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "import",
    description = {
      "Adds an OCI layer as a queue's newest snapshot.",
      "A tar, plain or packed with zstd or gzip. The queue is made if it is not there."
    })
final class ImportCommand extends AgentCommand {
  @Parameters(index = "0", paramLabel = "QUEUE", converter = QueueAddress.Converter.class)
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private QueueAddress address;

  @Parameters(index = "1", paramLabel = "FILE", description = "- for standard input.")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private String file;

  @Option(
      names = "--image",
      paramLabel = "IMAGE",
      description =
          "The image it belongs on, by name or id; default: as the queue's newest snapshot. A new"
              + " queue's then names none: the next run lays it on its own, whichever that is.")
  private @Nullable String image;

  @Override
  int run(AgentClient agent) throws IOException {
    address.requireNoSnapshot(spec);
    if (!file.equals("-") && (!Files.exists(Path.of(file)) || Files.isDirectory(Path.of(file)))) {
      throw new CommandFailure(
          Failure.Code.NOT_FOUND, file + " is no file; name a tar, tar.zst or tar.gz");
    }
    String query = image == null ? "" : "?image=" + AgentClient.part(image);
    try (InputStream in = file.equals("-") ? regen.in() : Files.newInputStream(Path.of(file))) {
      JsonObject answer =
          agent.upload(address.queuePath() + "/import" + query, new BufferedInputStream(in));
      out().println(answer.string("message"));
    } catch (CommandFailure e) {
      // The agent does not know what the file is called here.
      throw e.code() == Failure.Code.BAD_INPUT
          ? new CommandFailure(
              e.code(), (file.equals("-") ? "standard input" : file) + ": " + e.getMessage())
          : e;
    }
    return DONE;
  }
}
