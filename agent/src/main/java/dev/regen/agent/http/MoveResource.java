package dev.regen.agent.http;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Routes;
import dev.regen.agent.container.QueueArrival;
import dev.regen.agent.container.QueueDeparture;
import dev.regen.agent.jobs.Jobs;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * {@code …/leave}, {@code stay}, {@code enter} and {@code abandon} of a queue: the steps of a move
 * to another host, which a fleet's manager asks for. Each is a job, and may be asked for again.
 */
public final class MoveResource {
  private static final Pattern TEXT = Pattern.compile("[A-Za-z0-9._-]{1,64}");

  private final QueueDeparture departure;
  private final QueueArrival arrival;
  private final @Nullable StoreUrl configured;
  private final Jobs jobs;

  /**
   * @param configured the store that states travel through; null for none
   */
  public MoveResource(
      QueueDeparture departure, QueueArrival arrival, @Nullable StoreUrl configured, Jobs jobs) {
    this.departure = departure;
    this.arrival = arrival;
    this.configured = configured;
    this.jobs = jobs;
  }

  public void addTo(Routes routes) {
    routes
        .add("leaveQueue", this::leave)
        .add("stayQueue", this::stay)
        .add("enterQueue", this::enter)
        .add("abandonQueue", this::abandon);
  }

  private Answer leave(Call call) throws IOException {
    JsonObject body = call.json();
    QueueName queue = call.queue();
    StoreUrl store = store();
    QueueDeparture.Request request =
        new QueueDeparture.Request(
            queue, text(body, "move"), text(body, "to"), body.flag("leaveVolumes"));
    return Answer.accepted(
        jobs.startTransfer("leave", queue.value(), job -> departure.leave(request, store, job))
            .json());
  }

  private Answer stay(Call call) throws IOException {
    QueueName queue = call.queue();
    String move = call.json().stringOrNull("move");
    return Answer.accepted(
        jobs.start("stay", queue.value(), job -> departure.stay(queue, move, job)).json());
  }

  private Answer enter(Call call) throws IOException {
    JsonObject body = call.json();
    QueueName queue = call.queue();
    StoreUrl store = store();
    QueueArrival.Request request =
        new QueueArrival.Request(
            queue,
            text(body, "move"),
            text(body, "snapshot"),
            body.flag("container"),
            body.flag("start"));
    return Answer.accepted(
        jobs.startTransfer("enter", queue.value(), job -> arrival.enter(request, store, job))
            .json());
  }

  private Answer abandon(Call call) throws IOException {
    QueueName queue = call.queue();
    String move = text(call.json(), "move");
    return Answer.accepted(
        jobs.start("abandon", queue.value(), _ -> arrival.abandon(queue, move)).json());
  }

  private static String text(JsonObject body, String name) throws IOException {
    String text = body.stringOrNull(name);
    if (text == null || !TEXT.matcher(text).matches()) {
      throw new RegenException.BadInput(
          "'" + name + "' is missing, or not of 1 to 64 letters, digits, '.', '_' and '-'");
    }
    return text;
  }

  private StoreUrl store() throws RegenException {
    if (configured == null) {
      throw new RegenException.Misuse(
          "a queue moves through a store that both nodes have; name it as 'store' in the"
              + " configuration of this node's agent");
    }
    return configured;
  }
}
