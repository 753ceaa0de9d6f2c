package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What every command that asks the agent has in common. */
@Command(mixinStandardHelpOptions = true, versionProvider = ProductVersion.class)
abstract class AgentCommand implements Callable<Integer> {
  static final int DONE = 0;

  private static final Duration CANCEL_LIMIT = Duration.ofSeconds(30);

  /** Of which this is a command, or a command of a command; known when it runs. */
  @SuppressWarnings("NullAway.Init")
  Regen regen;

  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it
  CommandSpec spec;

  @Override
  public final Integer call() throws IOException, InterruptedException {
    regen = (Regen) spec.root().userObject();
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
    return followOrCancel(agent, asked, false);
  }

  /** As above; with {@code json} the progress is a JSON object a line, unless a person watches. */
  final JsonObject followOrCancel(AgentClient agent, JsonObject asked, boolean json)
      throws IOException, InterruptedException {
    return follow(agent, asked, () -> cancel(agent, asked), json);
  }

  /**
   * As {@link #follow}; the job goes on if this process is ended meanwhile, and that is said.
   *
   * @param what is done, as "the capture"
   */
  final JsonObject followOrLeave(AgentClient agent, JsonObject asked, String what)
      throws IOException, InterruptedException {
    return follow(
        agent, asked, () -> told(what + " goes on; 'regen jobs' tells how far it is"), false);
  }

  private JsonObject follow(AgentClient agent, JsonObject asked, Runnable atCtrlC, boolean json)
      throws IOException, InterruptedException {
    Thread hook = new Thread(atCtrlC);
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      return follow(agent, asked, ProgressLine.of(err(), regen.terminal(), json));
    } finally {
      withdraw(hook);
    }
  }

  /** Once this process is being ended, what came of the job is the hook's to say, not also ours. */
  private static void withdraw(Thread hook) throws InterruptedException {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      new CountDownLatch(1).await(CANCEL_LIMIT.toSeconds() * 2, TimeUnit.SECONDS);
    }
  }

  /** Waits until everything is as it was, or the job was done after all, and says so. */
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
      if (job.string("state").equals("success")) {
        told("done before it could be cancelled: " + job.object("result").string("message"));
        Runtime.getRuntime().halt(DONE);
      }
      told(
          job.has("message")
              ? job.string("message")
              : "it is not cancelled yet, and may still be done; see 'regen jobs'");
    } catch (IOException | InterruptedException | CommandFailure e) {
      told("not cancelled: " + e.getMessage());
    }
  }

  /** On a line of its own, below the progress that stands on a terminal. */
  private void told(String message) {
    err().println((regen.terminal() ? "\n" : "") + "regen: " + message);
    err().flush();
  }

  /** Follows a job to its end, with its progress; its failure is this command's. */
  final JsonObject follow(AgentClient agent, JsonObject asked)
      throws IOException, InterruptedException {
    return follow(agent, asked, ProgressLine.of(err(), regen.terminal(), false));
  }

  private static JsonObject follow(AgentClient agent, JsonObject asked, ProgressLine progress)
      throws IOException, InterruptedException {
    String path = "/v1/jobs/" + AgentClient.part(asked.string("id"));
    for (long millis = 20; ; millis = Math.min(250, millis * 2)) {
      JsonObject job = state(agent, path + "?waitMillis=" + millis);
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
    }
  }

  /** A job that was begun is not known to an agent that was started since. */
  private static JsonObject state(AgentClient agent, String path) {
    try {
      return agent.get(path);
    } catch (CommandFailure e) {
      boolean gone =
          e.code() == Failure.Code.NOT_FOUND || e.code() == Failure.Code.AGENT_UNREACHABLE;
      throw gone ? AgentClient.ended() : e;
    }
  }
}
