package dev.regen.agent.http;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Pages;
import dev.regen.agent.api.Routes;
import dev.regen.agent.jobs.Event;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.Jobs;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.List;

/** {@code /v1/events} and {@code /v1/jobs}: what happened, and what is being done. */
public final class ActivityResource {
  private static final int WAIT_MILLIS_MAX = 1000;

  private final Events events;
  private final Jobs jobs;

  public ActivityResource(Events events, Jobs jobs) {
    this.events = events;
    this.jobs = jobs;
  }

  public void addTo(Routes routes) {
    routes
        .add("listEvents", this::events)
        .add("listJobs", this::jobs)
        .add("getJob", this::job)
        .add("cancelJob", this::cancel);
  }

  private Answer events(Call call) throws IOException {
    String queue = call.query("queue");
    if (queue != null) {
      queue = Call.queueName(queue).value();
    }
    String only = queue;
    return Pages.newest(
        call,
        "events",
        (before, most) -> events.newest(only, before, most).stream().map(Event::json).toList());
  }

  private Answer jobs(Call call) throws RegenException {
    List<Job> all = jobs.list();
    return Pages.newest(call, "jobs", all, Job::place, Job::json);
  }

  /** With {@code waitMillis} answers when the job has ended, or so much later. */
  private Answer job(Call call) throws IOException {
    Job job = jobs.find(call.part("job"));
    job.looked();
    try {
      job.awaitEnd(Math.min(WAIT_MILLIS_MAX, number(call, "waitMillis", 0)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("the agent stops");
    }
    return Answer.ok(job.json());
  }

  private Answer cancel(Call call) throws RegenException {
    return Answer.accepted(jobs.cancel(call.part("job")).json());
  }

  private static int number(Call call, String name, int otherwise) throws RegenException {
    String text = call.query(name);
    if (text == null) {
      return otherwise;
    }
    if (!text.matches("[0-9]{1,6}")) {
      throw new RegenException.BadInput("'" + name + "' is a number from 0 to 999999");
    }
    return Integer.parseInt(text);
  }
}
