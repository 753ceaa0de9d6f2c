package dev.regen.agent.http;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Pages;
import dev.regen.agent.api.Routes;
import dev.regen.agent.container.ContainerCapture;
import dev.regen.agent.container.ContainerRestore;
import dev.regen.agent.container.FromStore;
import dev.regen.agent.container.Targets;
import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.Jobs;
import dev.regen.agent.rules.StateRules;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.KnownContainers;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * {@code /v1/containers/NAME}: capture and restore, each as a job; an {@code attended} one ends
 * when nobody asks for it.
 */
public final class ContainerResource {
  private static final int NAME_PART = 100;

  private final KnownContainers containers;
  private final QueueViews views;
  private final Targets targets;
  private final ContainerCapture capture;
  private final ContainerRestore restore;
  private final FromStore fromStore;
  private final Jobs jobs;

  public ContainerResource(
      KnownContainers containers,
      QueueViews views,
      Targets targets,
      ContainerCapture capture,
      ContainerRestore restore,
      FromStore fromStore,
      Jobs jobs) {
    this.containers = containers;
    this.views = views;
    this.targets = targets;
    this.capture = capture;
    this.restore = restore;
    this.fromStore = fromStore;
    this.jobs = jobs;
  }

  public void addTo(Routes routes) {
    routes
        .add("listContainers", this::list)
        .add("captureContainer", this::capture)
        .add("restoreContainer", this::restore);
  }

  /** Those that ran under the runtime extension; no engine is asked. */
  private Answer list(Call call) throws IOException {
    List<KnownContainers.Known> all = containers.list();
    Set<QueueName> moved = new HashSet<>();
    for (KnownContainers.Known known : all) {
      if (views.moved(known.queue())) {
        moved.add(known.queue());
      }
    }
    return Pages.of(
        call,
        "containers",
        all,
        ContainerResource::place,
        known -> row(known, moved.contains(known.queue())));
  }

  /** By name; no longer than a cursor may be. */
  private static String place(KnownContainers.Known known) {
    String name = known.name();
    return name.substring(0, Math.min(NAME_PART, name.length())) + " " + known.id().value();
  }

  private static JsonObject row(KnownContainers.Known known, boolean moved) {
    boolean kept = !known.autoRemove();
    return new JsonObject()
        .with("name", known.name())
        .with("id", known.id().value())
        .with("queue", known.queue().value())
        .with("running", known.running())
        .with("kept", kept)
        .with("actions", QueueViews.actions(StateRules.container(known.running(), kept, moved)));
  }

  private Answer capture(Call call) throws IOException {
    String name = call.part("container");
    targets.require(name); // At once: who does not wait for the job would not hear of it.
    return Answer.accepted(jobs.start("capture", name, job -> capture.capture(name, job)).json());
  }

  private Answer restore(Call call) throws IOException {
    JsonObject body = call.json();
    String at = body.stringOrNull("at");
    if (at != null) {
      QueueContent.checkAddress(at); // Before anything is waited for.
    }
    ContainerRestore.Request request =
        new ContainerRestore.Request(
            call.part("container"),
            at == null ? "latest" : at,
            !body.has("start") || body.flag("start"),
            body.flag("discard"),
            body.flag("orOlder"));
    Job job = started(request, body);
    if (body.flag("attended")) {
      job.attend();
    }
    return Answer.accepted(job.json());
  }

  private Job started(ContainerRestore.Request request, JsonObject body) throws IOException {
    String from = body.stringOrNull("from");
    if (from == null) {
      return jobs.start("restore", request.name(), job -> restore.restore(request, job));
    }
    StoreUrl url = StoreResource.parsed("--from", from);
    Duration patience = StoreResource.patience(body);
    return jobs.startTransfer(
        "restore", request.name(), job -> restore.restore(request, fromStore, url, patience, job));
  }
}
