package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

@Command(
    name = "diff",
    description = {
      "Lists the paths that differ from one snapshot to another, or to the queue's container as it is"
          + " now.",
      "A added, C changed, D deleted; of C what is another (type, content, target, device, mode,"
          + " owner, time, xattrs); the path. A directory comes before what is in it, names by their"
          + " bytes.",
      "",
      "In a path, \\xHH stands for a byte that is not UTF-8 or not printable, \\\\ for a backslash."
          + " The exit code is 0 whether or not anything differs."
    })
final class DiffCommand extends AgentCommand {
  private static final int WHAT_WIDTH = 12;

  @Parameters(index = "0", paramLabel = "QUEUE@A", converter = QueueAddress.Converter.class)
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private QueueAddress from;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "QUEUE@B",
      description = "Default: the container of the queue, running or stopped.",
      converter = QueueAddress.Converter.class)
  private @Nullable QueueAddress to;

  @Option(
      names = "--container",
      paramLabel = "NAME",
      description = "Compare with this container instead.")
  private @Nullable String container;

  @Option(
      names = "--json",
      description = "As a JSON array of kind, path, what (an array) and type (null if not known).")
  private boolean json;

  private long printed;

  @Override
  int run(AgentClient agent) throws IOException {
    from.requireSnapshot(spec);
    agent.lines(path(), this::print);
    if (json) {
      out().println(printed == 0 ? "[]" : "\n]");
    }
    return DONE;
  }

  private String path() {
    String path = from.snapshotPath() + "/diff";
    QueueAddress newer = to;
    if (newer != null) {
      if (container != null) {
        throw new CommandFailure(
            Failure.Code.USAGE, "name a second snapshot or --container, not both");
      }
      if (newer.snapshot() == null) {
        throw new ParameterException(
            spec.commandLine(),
            "say which snapshot is the second, as "
                + newer
                + "@latest, or leave it out for the container as it is now");
      }
      return path
          + "?to="
          + AgentClient.part(String.valueOf(newer.snapshot()))
          + "&toQueue="
          + AgentClient.part(newer.queue().value());
    }
    return container == null ? path : path + "?container=" + AgentClient.part(container);
  }

  private void print(JsonObject line) throws IOException {
    if (line.has("kind")) {
      if (json) {
        out().print((printed == 0 ? "[\n  " : ",\n  ") + line);
      } else {
        print(line.string("kind"), line.strings("what"), line.string("path"));
      }
      printed++;
    } else if (line.has("failed")) {
      JsonObject failed = line.object("failed");
      out().flush();
      throw new CommandFailure(
          Failure.Code.of(failed.stringOrNull("code")), failed.string("message"));
    } else {
      line.strings("notes").forEach(note -> err().println("regen: " + note));
    }
  }

  private void print(String kind, List<String> what, String path) {
    String words = what.isEmpty() ? "-" : String.join(",", what);
    out().println(kind + " " + words + " ".repeat(Math.max(1, WHAT_WIDTH - words.length())) + path);
  }
}
