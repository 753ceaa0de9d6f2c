package dev.regen.agent.cli;

import dev.regen.runtime.Count;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "verify",
    description = {
      "Reads every chunk and manifest of a queue, or of all, and names what is damaged.",
      "Named is also what is missing, or needed by nobody. Exit code 1 if anything is damaged."
    })
final class VerifyCommand extends AgentCommand {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "QUEUE",
      converter = QueueAddress.Converter.class)
  private @Nullable QueueAddress address;

  @Option(names = "--json", description = "As one JSON object.")
  private boolean json;

  @Option(
      names = "--repair",
      description =
          "Mend what has a second copy here: chunks from trees that are unpacked for their next run,"
              + " a queue's file from its manifests. Set damaged chunks aside, so that the next"
              + " capture of their content stores them anew; delete what nobody needs.")
  private boolean repair;

  @Override
  int run(AgentClient agent) throws IOException, InterruptedException {
    QueueAddress queue = address;
    if (queue != null) {
      queue.requireNoSnapshot(spec);
    }
    String query =
        "?repair="
            + repair
            + (queue == null ? "" : "&queue=" + AgentClient.part(queue.queue().value()));
    JsonObject result =
        followOrLeave(agent, agent.send("POST", "/v1/verify" + query, null), "the check");
    List<String> damaged = result.strings("damaged");
    List<String> locked = result.strings("locked");
    if (json) {
      out().println(result);
    } else {
      out()
          .printf(
              "%s, %s, %s (%s): %s%n",
              Count.of(result.number("queues"), "queue"),
              Count.of(result.number("snapshots"), "snapshot"),
              Count.of(result.number("chunks"), "chunk"),
              Sizes.of(result.number("bytes")),
              (damaged.isEmpty() ? "all whole" : damaged.size() + " damaged")
                  + (locked.isEmpty() ? "" : ", " + locked.size() + " locked"));
      result.strings("repaired").forEach(line -> out().println("  " + line));
      damaged.forEach(line -> out().println("  " + line));
      locked.forEach(line -> out().println("  " + line));
      long manifests = result.number("unreferencedManifests");
      long chunks = result.number("unreferencedChunks");
      if (manifests + chunks > 0) {
        out()
            .printf(
                "%s and %s are needed by nobody; --repair deletes them%n",
                Count.of(manifests, "manifest"), Count.of(chunks, "chunk"));
      }
      if (repair && !damaged.isEmpty()) {
        out()
            .println(
                "what is still damaged has no other copy here: restore a snapshot that is whole"
                    + " ('regen restore QUEUE --or-older'), or give it up ('regen rm QUEUE@ID')");
      }
    }
    return damaged.isEmpty() && locked.isEmpty() ? DONE : 1;
  }
}
