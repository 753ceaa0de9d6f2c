package dev.regen.runtime.docker;

import com.github.dockerjava.transport.DockerHttpClient.Request.Method;
import com.github.dockerjava.transport.DockerHttpClient.Response;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/**
 * A container engine, reached over its API.
 *
 * <p>Every call fails with {@link EngineException.Away} where the engine is not there, and with
 * {@link EngineException.Refused} where it says no; connections are made anew with each call, so an
 * engine that comes back is found again. Safe for several threads.
 */
public final class Engine implements AutoCloseable {
  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}");
  private static final Pattern IMAGE = Pattern.compile("(sha256:)?[0-9a-f]{12,64}");
  private static final Pattern IMAGE_NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.:/@-]{0,254}");

  /** Longer than any stop's own grace that people use; the engine is silent meanwhile. */
  private static final Duration CALL_LIMIT = Duration.ofMinutes(10);

  /** Shorter than a start waits for anything. */
  private static final Duration BRIEF_LIMIT = Duration.ofSeconds(2);

  private final EngineClient calls;
  private final EngineClient streams;

  public Engine(URI host) {
    calls = new EngineClient(host, CALL_LIMIT);
    streams = new EngineClient(host, Duration.ZERO);
  }

  /** The engine that {@code DOCKER_HOST} names, or the one on its usual socket. */
  public static Engine of(Map<String, String> environment) {
    String host = environment.getOrDefault("DOCKER_HOST", "");
    return new Engine(URI.create(host.isBlank() ? "unix:///var/run/docker.sock" : host));
  }

  /** The API version of the engine. */
  public String version() throws EngineException {
    return calls.version();
  }

  /** What the engine says of itself: data root, storage driver, runtimes and more. */
  public JsonObject info() throws EngineException {
    return calls.call(Method.GET, "/info", null);
  }

  /** All the engine knows of a container, by name or id; empty if there is none. */
  public Optional<JsonObject> container(String nameOrId) throws EngineException {
    return lookUp("/containers/" + name(nameOrId) + "/json");
  }

  /**
   * As {@link #container}, for those that a start may wait for: while a container starts, the
   * engine does not answer for it, so after 2 s of silence it counts as away.
   */
  public Optional<JsonObject> containerBriefly(String nameOrId) throws EngineException {
    FutureTask<Optional<JsonObject>> asking = new FutureTask<>(() -> container(nameOrId));
    // Over a unix socket the transport keeps to no limit of its own; an interrupt closes it.
    Thread.ofVirtual().name("brief-question").start(asking);
    try {
      return asking.get(BRIEF_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      asking.cancel(true);
      throw new EngineException.Away("the engine does not answer for container " + nameOrId, e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof EngineException known) {
        throw known;
      }
      throw new EngineException.Away("the engine could not be asked: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      asking.cancel(true);
      Thread.currentThread().interrupt();
      throw new EngineException.Away("interrupted while the engine was asked", e);
    }
  }

  /** All the engine knows of an image, by id; empty if there is none. */
  public Optional<JsonObject> image(String id) throws EngineException {
    if (!IMAGE.matcher(id).matches()) {
      return Optional.empty();
    }
    return lookUp("/images/" + id + "/json");
  }

  /** As {@link #image}, by what a person calls it: name, name and tag, digest or id. */
  public Optional<JsonObject> imageNamed(String nameOrId) throws EngineException {
    if (!IMAGE_NAME.matcher(nameOrId).matches() || nameOrId.matches(".*(//|/\\.).*")) {
      return Optional.empty();
    }
    return lookUp("/images/" + nameOrId + "/json");
  }

  /** The ids of the images that can be run. */
  public List<String> images() throws IOException {
    List<String> ids = new ArrayList<>();
    for (JsonObject image : calls.list("/images/json")) {
      ids.add(image.string("Id"));
    }
    return ids;
  }

  /**
   * An image as {@code docker save} writes it; to be closed, at any time and by any thread.
   *
   * @param id {@code sha256:} and its digits
   */
  public InputStream saveImage(String id) throws EngineException {
    if (!IMAGE.matcher(id).matches()) {
      throw new IllegalArgumentException("not an image's id");
    }
    return new AnswerStream(streams.stream("/images/" + id + "/get"));
  }

  /**
   * Has the engine read an archive of images, as {@code docker load} does.
   *
   * @throws EngineException.Refused if it says that it did not take all of it
   * @throws EngineException.Away also if {@code archive} fails
   */
  public void loadImage(InputStream archive) throws EngineException {
    byte[] answer = streams.upload("/images/load?quiet=1", archive);
    for (String line : new String(answer, StandardCharsets.UTF_8).split("\n", -1)) {
      if (line.contains("\"error\"")) {
        throw new EngineException.Refused(200, error(line.strip()));
      }
    }
  }

  private static String error(String line) {
    try {
      return JsonObject.parse(line).string("error");
    } catch (IOException e) {
      return line;
    }
  }

  /** Gives an image a name, which another image loses if it has it. */
  public void tagImage(String id, String repository, String tag) throws EngineException {
    if (!IMAGE.matcher(id).matches()) {
      throw new IllegalArgumentException("not an image's id");
    }
    calls.call(
        Method.POST,
        "/images/"
            + id
            + "/tag?repo="
            + URLEncoder.encode(repository, StandardCharsets.UTF_8)
            + "&tag="
            + URLEncoder.encode(tag, StandardCharsets.UTF_8),
        null);
  }

  /** Stops a container and waits for it; one that does not run stays as it is. */
  public void stop(String container) throws EngineException {
    calls.call(Method.POST, "/containers/" + name(container) + "/stop", null);
  }

  /** Starts a container; one that runs stays as it is. */
  public void start(String container) throws EngineException {
    calls.call(Method.POST, "/containers/" + name(container) + "/start", null);
  }

  /** Removes a container that does not run, and none of its volumes. */
  public void remove(String container) throws EngineException {
    calls.call(Method.DELETE, "/containers/" + name(container), null);
  }

  /** The ids of all containers, stopped ones too, that have this label with this value. */
  public List<String> labelled(String label, String value) throws IOException {
    JsonObject filters = new JsonObject().with("label", List.of(label + "=" + value));
    List<String> ids = new ArrayList<>();
    for (JsonObject container :
        calls.list(
            "/containers/json?all=true&filters="
                + URLEncoder.encode(filters.toString(), StandardCharsets.UTF_8))) {
      ids.add(container.string("Id"));
    }
    return ids;
  }

  /** Freezes every process of a running container. */
  public void pause(String container) throws EngineException {
    calls.call(Method.POST, "/containers/" + name(container) + "/pause", null);
  }

  public void unpause(String container) throws EngineException {
    calls.call(Method.POST, "/containers/" + name(container) + "/unpause", null);
  }

  /**
   * Creates a container.
   *
   * @param body as the engine's API has it: the configuration's members, and {@code HostConfig}
   * @return its id
   */
  public String create(String container, JsonObject body) throws EngineException {
    String path = "/containers/create?name=" + name(container);
    try {
      return calls.call(Method.POST, path, body).string("Id");
    } catch (EngineException e) {
      throw e;
    } catch (IOException e) {
      throw new UncheckedIOException("the engine created a container and named no id", e);
    }
  }

  /**
   * The containers' events from {@code since} on, without end.
   *
   * @return to be closed; read one JSON object per line
   */
  Response events(Instant since) throws EngineException {
    JsonObject filters =
        new JsonObject()
            .with("type", List.of("container"))
            .with("event", List.of("die", "oom", "start", "kill", "destroy"));
    String nanos = "%d.%09d".formatted(since.getEpochSecond(), since.getNano());
    return streams.stream(
        "/events?since="
            + nanos
            + "&filters="
            + URLEncoder.encode(filters.toString(), StandardCharsets.UTF_8));
  }

  @Override
  public void close() throws IOException {
    try (calls;
        streams) {
      // Both are closed, whatever becomes of the first.
    }
  }

  private Optional<JsonObject> lookUp(String path) throws EngineException {
    try {
      return Optional.of(calls.call(Method.GET, path, null));
    } catch (EngineException.Refused e) {
      if (e.status() == 404) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private static String name(String nameOrId) {
    if (!NAME.matcher(nameOrId).matches()) {
      throw new IllegalArgumentException("not a container's name");
    }
    return nameOrId;
  }
}
