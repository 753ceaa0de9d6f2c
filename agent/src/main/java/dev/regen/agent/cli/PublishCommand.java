package dev.regen.agent.cli;

import dev.regen.agent.jobs.Failure;
import dev.regen.runtime.Count;
import dev.regen.runtime.Why;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.publish.LayerForm;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

@Command(
    name = "publish",
    description = {
      "Makes an image of a snapshot, at a manager: 'docker run HOST/REPO:TAG' starts from it, on any"
          + " host.",
      "It pushes the snapshot and its image first, to the store that the manager serves; what is"
          + " there is not sent. The image is a manifest over what is there then; with --squash it"
          + " has a layer of its own."
    })
final class PublishCommand extends AgentCommand {
  /** A manager says each second how far it is. */
  private static final Duration SILENCE_MAX = Duration.ofSeconds(60);

  @Parameters(
      index = "0",
      paramLabel = "QUEUE[@S]",
      converter = QueueAddress.Converter.class,
      description = "By default the latest snapshot.")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private QueueAddress address;

  @Parameters(
      index = "1",
      paramLabel = "HOST/REPO:TAG",
      converter = ImageReference.Converter.class,
      description = "Where the manager is, and what the image is called there.")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private ImageReference image;

  @Option(names = "--store", paramLabel = "URL", description = StoreOption.DESCRIPTION)
  private @Nullable String store;

  @Option(
      names = "--no-push",
      description = "Publish what the manager's store has already; needs no agent.")
  private boolean noPush;

  @Option(
      names = "--layer",
      paramLabel = "FORM",
      defaultValue = "zstd",
      description =
          "zstd: as it is stored (default). tar: unpacked when it is served. gzip: packed once more,"
              + " and stored so. Docker before 23 reads gzip and tar.")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private String layer;

  @Option(
      names = "--squash",
      description =
          "As one layer, without what was deleted: the manager merges the image and the snapshot,"
              + " and stores that.")
  private boolean squash;

  @Option(
      names = "--manifest",
      paramLabel = "FORM",
      defaultValue = "oci",
      description = "oci (default), or docker, which has no zstd.")
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private String manifest;

  @Mixin
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private ManagerAccess access;

  @Option(names = "--json", description = StoreOption.JSON)
  private boolean json;

  @Override
  int run(AgentClient agent) throws IOException, InterruptedException {
    LayerForm form = form();
    JsonObject body =
        new JsonObject()
            .with("queue", address.queue().value())
            .with("tag", image.tag().value())
            .with("layer", form.word())
            .with("manifest", manifest)
            .with("squash", squash);
    try (ManagerClient manager = access.client(regen, image)) {
      JsonObject pushed = noPush ? null : push(agent);
      String latest = address.snapshot() == null ? "latest" : address.snapshot();
      body.with("snapshot", pushed == null ? latest : pushed.string("snapshot"));
      JsonObject published = publish(manager, body);
      if (squash && !published.flag("squashed")) {
        throw new CommandFailure(
            Failure.Code.FAILED,
            "the manager is older than --squash: "
                + image
                + " has all layers, and what was deleted is in them; remove it, then update the"
                + " manager");
      }
      tell(form, pushed, published);
    }
    return DONE;
  }

  private LayerForm form() {
    try {
      LayerForm form = LayerForm.of(layer);
      if (!manifest.equals("oci") && !manifest.equals("docker")) {
        throw new IllegalArgumentException("--manifest is oci or docker");
      }
      if (manifest.equals("docker") && form == LayerForm.ZSTD) {
        throw new IllegalArgumentException(
            "--manifest=docker has no name for layers of zstd: say --layer=gzip or tar too");
      }
      if (noPush && store != null) {
        throw new IllegalArgumentException("--store says where to push, and --no-push not to");
      }
      return form;
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }

  private JsonObject push(AgentClient agent) throws IOException, InterruptedException {
    JsonObject body =
        new JsonObject()
            .with("store", store)
            .with("snapshot", address.snapshot())
            .with("noImage", false)
            .with("attended", true);
    JsonObject job = agent.send("POST", address.queuePath() + "/push", body);
    JsonObject pushed = followOrCancel(agent, job, json);
    StoreOption.tellTroubles(this, pushed);
    return pushed;
  }

  private JsonObject publish(ManagerClient manager, JsonObject body)
      throws IOException, InterruptedException {
    ProgressLine progress = ProgressLine.of(err(), regen.terminal(), json);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        InputStream answer = manager.post("/v2/" + image.repository() + "/_regen/publish", body);
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(answer, StandardCharsets.UTF_8))) {
      while (true) {
        Future<@Nullable String> next = threads.submit(lines::readLine);
        JsonObject line = JsonObject.parse(await(next, answer));
        if (line.has("digest")) {
          return line;
        }
        if (line.has("errors")) {
          throw ManagerClient.failure((int) line.number("status"), line);
        }
        progress.show(line);
      }
    } finally {
      progress.end();
    }
  }

  /** A line of the answer, within a time. */
  private static String await(Future<@Nullable String> next, InputStream answer)
      throws IOException, InterruptedException {
    try {
      String line = next.get(SILENCE_MAX.toSeconds(), TimeUnit.SECONDS);
      if (line != null) {
        return line;
      }
      throw brokenOff("it ended too early");
    } catch (TimeoutException e) {
      answer.close();
      throw brokenOff("nothing came for " + SILENCE_MAX.toSeconds() + " s");
    } catch (ExecutionException e) {
      throw brokenOff(Why.of(e.getCause() == null ? e : e.getCause()));
    }
  }

  private static CommandFailure brokenOff(String why) {
    return new CommandFailure(
        Failure.Code.FAILED,
        "the manager's answer broke off: " + why + "; the same command again begins anew");
  }

  private void tell(LayerForm form, @Nullable JsonObject pushed, JsonObject published)
      throws IOException {
    if (json) {
      out()
          .println(
              new JsonObject()
                  .with("image", image.toString())
                  .with("digest", published.string("digest"))
                  .with("queue", address.queue().value())
                  .with("snapshot", published.string("snapshot"))
                  .with("time", published.string("time"))
                  .with("layer", form.word())
                  .with("squashed", squash)
                  .with("layers", published.number("layers"))
                  .with("layerBytes", published.number("layerBytes"))
                  .with("pushed", pushed));
      return;
    }
    if (pushed != null) {
      out().println(StoreOption.words(pushed));
    }
    out()
        .println(
            image
                + " is published, as "
                + published.string("digest")
                + ": "
                + Count.of(published.number("layers"), "layer")
                + ", "
                + Sizes.of(published.number("layerBytes"))
                + how(form));
  }

  private String how(LayerForm form) {
    if (squash) {
      return ", merged by the manager";
    }
    return form == LayerForm.GZIP
        ? ", packed with gzip by the manager"
        : "; no byte of a layer was sent by it";
  }
}
