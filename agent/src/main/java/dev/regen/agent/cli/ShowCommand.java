package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "show",
    description = {
      "Shows what is known of a queue or a snapshot, and what is not in it.",
      "--json has all of it, the container's configuration too."
    })
final class ShowCommand extends AgentCommand {
  /** What a person asks for in the rarest case only. */
  private static final Set<String> DETAILS =
      Set.of("spec", "imageId", "tarBytes", "chunks", "omittedCount", "actions");

  @Parameters(index = "0", paramLabel = "QUEUE[@S]", converter = QueueAddress.Converter.class)
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private QueueAddress address;

  @Option(names = "--json", description = "As one JSON object.")
  private boolean json;

  @Option(names = "--utc", description = "Times in UTC, not in the host's zone.")
  private boolean utc;

  @Override
  int run(AgentClient agent) throws IOException {
    JsonObject answer =
        agent.get(address.snapshot() == null ? address.queuePath() : address.snapshotPath());
    if (json) {
      out().println(answer);
    } else {
      if (answer.members().get("spec") instanceof JsonObject spec
          && spec.members().get("rebase") instanceof JsonObject rebase) {
        answer.with("rebase", rebase);
      }
      print(answer, "");
    }
    return DONE;
  }

  private void print(JsonObject object, String indent) {
    for (Map.Entry<String, @Nullable Object> member : object.members().entrySet()) {
      Object value = member.getValue();
      if (DETAILS.contains(member.getKey()) || isNothing(value)) {
        continue;
      }
      String name = indent + words(member.getKey());
      switch (value) {
        case null -> {}
        case JsonObject inner -> {
          out().println(name + ":");
          print(inner, indent + "  ");
        }
        case List<?> list -> {
          out().println(name + ":");
          list.forEach(element -> out().println(indent + "  - " + plain(element)));
        }
        case Long number when member.getKey().endsWith("Bytes") ->
            out().println(name + ": " + Sizes.of(number) + " (" + number + ")");
        case String ran when member.getKey().equals("ran") ->
            out().println(name + ": " + Durations.of(ran));
        default -> out().println(name + ": " + plain(value));
      }
    }
  }

  /** What is as usual needs no line. */
  private static boolean isNothing(@Nullable Object value) {
    return Boolean.FALSE.equals(value)
        || "".equals(value)
        || (value instanceof List<?> list && list.isEmpty());
  }

  private String plain(@Nullable Object value) {
    String text = String.valueOf(value).replaceAll("\\p{Cntrl}", "?");
    return Times.of(text, utc);
  }

  /** {@code sizeBytes} as {@code size}, {@code exitCode} as {@code exit code}. */
  private static String words(String member) {
    String name = member.endsWith("Bytes") ? member.substring(0, member.length() - 5) : member;
    return name.matches("[a-z]+[a-zA-Z]*")
        ? name.replaceAll("([A-Z])", " $1").toLowerCase(java.util.Locale.ROOT)
        : name.replaceAll("\\p{Cntrl}", "?");
  }
}
