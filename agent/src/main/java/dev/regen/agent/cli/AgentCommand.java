package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** What every command that asks the agent has in common. */
@Command(mixinStandardHelpOptions = true, versionProvider = ProductVersion.class)
abstract class AgentCommand implements Callable<Integer> {
  static final int DONE = 0;

  private static final Duration CANCEL_LIMIT = Duration.ofSeconds(30);

  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  Regen regen;

  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it
  CommandSpec spec;

  @Override
  public final Integer call() throws IOException, InterruptedException {
    return run(regen.agent());
  }

  /** Does it; returns the exit code. */
  abstract int run(AgentClient agent) throws IOException, InterruptedException;

  final PrintWriter out() {
    return spec.commandLine().getOut();
  }

  final PrintWriter err() {
    return spec.commandLine().getErr();
  }

  /** Prints an array, one element a line. */
  final void printArray(List<JsonObject> elements) {
    printArray(elements, out());
  }

  static void printArray(List<JsonObject> elements, PrintWriter out) {
    StringBuilder text = new StringBuilder("[");
    for (int i = 0; i < elements.size(); i++) {
      text.append(i == 0 ? "\n  " : ",\n  ").append(elements.get(i));
    }
    out.println(text.append(elements.isEmpty() ? "]" : "\n]"));
  }

  /** As {@link #follow}; the job is cancelled if this process is ended meanwhile. */
  final JsonObject followOrCancel(AgentClient agent, JsonObject asked)
      throws IOException, InterruptedException {
    Thread cancelling = new Thread(() -> cancel(agent, asked));
    Runtime.getRuntime().addShutdownHook(cancelling);
    try {
      return follow(agent, asked);
    } finally {
      Runtime.getRuntime().removeShutdownHook(cancelling);
    }
  }

  /** Waits until everything is as it was, so that the prompt says so. */
  private void cancel(AgentClient agent, JsonObject asked) {
    try {
      String path = "/v1/jobs/" + AgentClient.part(asked.string("id"));
      JsonObject job = agent.send("DELETE", path, null);
      long deadline = System.nanoTime() + CANCEL_LIMIT.toNanos();
      while (!job.string("state").equals("failed")
          && !job.string("state").equals("success")
          && System.nanoTime() < deadline) {
        Thread.sleep(50);
        job = agent.get(path);
      }
      err().println("\nregen: " + (job.has("message") ? job.string("message") : "it was too late"));
    } catch (IOException | InterruptedException | CommandFailure e) {
      err().println("\nregen: not cancelled: " + e.getMessage());
    }
    err().flush();
  }

  /** Follows a job to its end, with its progress; its failure is this command's. */
  final JsonObject follow(AgentClient agent, JsonObject asked)
      throws IOException, InterruptedException {
    ProgressLine progress = new ProgressLine(err(), regen.terminal());
    String path = "/v1/jobs/" + AgentClient.part(asked.string("id"));
    for (long pauseMillis = 20; ; pauseMillis = Math.min(250, pauseMillis * 2)) {
      JsonObject job = agent.get(path);
      switch (job.string("state")) {
        case "success" -> {
          progress.end();
          return job.has("result") ? job.object("result") : new JsonObject();
        }
        case "failed" -> {
          progress.end();
          throw new CommandFailure(
              Failure.Code.of(job.stringOrNull("code")), job.string("message"));
        }
        default -> progress.show(job);
      }
      Thread.sleep(pauseMillis);
    }
  }
}
