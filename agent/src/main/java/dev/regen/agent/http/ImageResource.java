package dev.regen.agent.http;

import dev.regen.agent.api.Answer;
import dev.regen.agent.api.Call;
import dev.regen.agent.api.Routes;
import dev.regen.agent.container.ImageTransfers;
import dev.regen.agent.jobs.Jobs;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * {@code /v1/images/push} and {@code /v1/images/pull}, each as a job. An {@code attended} one ends
 * when nobody asks for it.
 */
public final class ImageResource {
  private static final Pattern ADDRESS = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.:/@-]{0,254}");

  private final ImageTransfers images;
  private final @Nullable StoreUrl configured;
  private final Jobs jobs;

  /**
   * @param configured the store of requests that name none; null for none
   */
  public ImageResource(ImageTransfers images, @Nullable StoreUrl configured, Jobs jobs) {
    this.images = images;
    this.configured = configured;
    this.jobs = jobs;
  }

  public void addTo(Routes routes) {
    routes.add("pushImage", this::push).add("pullImage", this::pull);
  }

  private Answer push(Call call) throws IOException {
    JsonObject body = call.json();
    String name = address(body);
    StoreUrl url = StoreResource.url(body, configured);
    return StoreResource.started(
        jobs.startTransfer("push", name, job -> images.push(url, name, job)), body);
  }

  private Answer pull(Call call) throws IOException {
    JsonObject body = call.json();
    String address = address(body);
    StoreUrl url = StoreResource.url(body, configured);
    return StoreResource.started(
        jobs.startTransfer("pull", address, job -> images.pull(url, address, job)), body);
  }

  /** Which image a request is about. */
  static String address(JsonObject body) throws IOException {
    String image = body.string("image");
    if (!ADDRESS.matcher(image).matches()) {
      throw new RegenException.Misuse("'" + image + "' is no image's name or id");
    }
    return image;
  }
}
