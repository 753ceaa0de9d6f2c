package dev.regen.agent.container;

import dev.regen.agent.jobs.Event;
import dev.regen.agent.jobs.Events;
import dev.regen.agent.jobs.Job;
import dev.regen.agent.jobs.JobTransfer;
import dev.regen.agent.jobs.OpenStores;
import dev.regen.runtime.Count;
import dev.regen.runtime.Why;
import dev.regen.runtime.docker.Engine;
import dev.regen.runtime.durable.DiskFullException;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.image.ImagePull;
import dev.regen.snapshot.image.ImagePush;
import dev.regen.snapshot.image.ImageTag;
import dev.regen.snapshot.image.LocalImage;
import dev.regen.snapshot.image.RemoteImages;
import dev.regen.snapshot.image.StoredImage;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.StoreUrl;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Sends images of this host's engine to stores, and gives it images from there. */
public final class ImageTransfers {
  private static final int SHOWN_DIGITS = 12;

  private final EngineImages images;
  private final OpenStores stores;
  private final Events events;

  public ImageTransfers(Engine engine, OpenStores stores, Events events) {
    this.images = new EngineImages(engine);
    this.stores = stores;
    this.events = events;
  }

  /**
   * What became of an image.
   *
   * @param message for a person
   * @param name what it is called, null for nothing
   * @param layersMoved how many of its layers were sent or fetched
   */
  record Moved(
      String message, Digest id, @Nullable ImageTag name, int layers, int layersMoved, long bytes) {
    JsonObject json() {
      return new JsonObject()
          .with("message", message)
          .with("id", id.toString())
          .with("name", name == null ? null : name.toString())
          .with("layers", layers)
          .with("layersMoved", layersMoved)
          .with("bytes", bytes);
    }
  }

  /**
   * Sends an image to a store.
   *
   * @param name what a person calls it: a name, or an id
   * @throws RegenException.NotFound if the engine has none of that name
   */
  public JsonObject push(StoreUrl url, String name, Job job) throws IOException {
    JobTransfer progress = new JobTransfer(job);
    LocalImage image =
        images
            .named(name, job::cancelled)
            .orElseThrow(
                () -> new RegenException.NotFound("the engine has no image '" + name + "'"));
    ImageTag tag = isIdOf(name, image.id()) ? null : ImageTag.parse(name).orElse(null);
    job.step("connecting");
    try (OpenStores.Use use = stores.use(url, true)) {
      Moved sent = sent(use.store(), image, tag, progress);
      events.tell(Event.Kind.PUSHED, null, sent.message());
      return told(sent, "push", use.store()).with("store", url.text());
    } catch (RegenException | DiskFullException e) {
      throw e;
    } catch (IOException e) {
      throw new IOException(Why.of(e) + "; the same command again goes on with the rest", e);
    }
  }

  /**
   * Fetches an image from a store into the engine, which has it whole then, or not at all.
   *
   * @param address a name, or an id, or its beginning
   * @throws RegenException.NotFound if the store has no such image
   * @throws RegenException.Refused if it is still uploading
   */
  public JsonObject pull(StoreUrl url, String address, Job job) throws IOException {
    job.step("connecting");
    try (OpenStores.Use use = stores.use(url, false)) {
      StoredImage image = new RemoteImages(use.store()).find(address);
      Moved fetched =
          fetch(use.store(), image, ImageTag.parse(address).orElse(null), new JobTransfer(job));
      events.tell(Event.Kind.PULLED, null, fetched.message());
      return told(fetched, "pull", use.store());
    }
  }

  private JsonObject told(Moved moved, String verb, RemoteStore store) {
    List<String> troubles = store.troubles();
    troubles.forEach(said -> events.tell(Event.Kind.DEGRADED, null, verb + ": " + said));
    return moved.json().with("troubles", troubles);
  }

  /** Whether the engine has the image that it calls so. */
  boolean isHere(Digest id) throws IOException {
    return images.has(id);
  }

  /** The image that the engine calls so. */
  Optional<LocalImage> here(Digest id, TransferProgress progress) throws IOException {
    return images.image(id, progress::cancelled);
  }

  /**
   * Makes sure that a store has an image.
   *
   * @param tag what it is called there, if it is still called so here
   */
  Moved send(RemoteStore store, LocalImage image, @Nullable ImageTag tag, TransferProgress progress)
      throws IOException {
    boolean named = tag != null && images.idOf(tag).map(image.id()::equals).orElse(false);
    return sent(store, image, named ? tag : null, progress);
  }

  private static Moved sent(
      RemoteStore store, LocalImage image, @Nullable ImageTag tag, TransferProgress progress)
      throws IOException {
    ImagePush.Result sent = new ImagePush(store).push(image, tag, progress);
    String message =
        words(image.id(), tag)
            + (sent.there()
                ? " was there already"
                : " is pushed: "
                    + sent.layersSent()
                    + " of "
                    + Count.of(sent.layers(), "layer")
                    + " sent now"
                    + (sent.layersSent() == sent.layers() ? "" : ", the others were there"));
    return new Moved(message, image.id(), tag, sent.layers(), sent.layersSent(), sent.bytes());
  }

  /**
   * Gives the engine an image of a store.
   *
   * @param id as the engine called it that gave it to the store
   * @return empty if the store does not have it
   */
  Optional<Moved> fetch(
      RemoteStore store, Digest id, @Nullable ImageTag name, TransferProgress progress)
      throws IOException {
    Optional<StoredImage> stored = new RemoteImages(store).image(id);
    return stored.isEmpty()
        ? Optional.empty()
        : Optional.of(fetch(store, stored.get(), name, progress));
  }

  private Moved fetch(
      RemoteStore store, StoredImage image, @Nullable ImageTag tag, TransferProgress progress)
      throws IOException {
    ImagePull pull = new ImagePull(store);
    Digest before = idHere(pull.ids(image));
    if (before != null) {
      String message = words(image.id(), tag) + " was here already" + as(image.id(), before);
      int layers = image.content().layers().size();
      return new Moved(message + name(before, tag), before, tag, layers, 0, 0);
    }
    int here = images.layersHere(image.content().main().diffIds());
    ImagePull.Result pulled = pull.pull(image, here, images::load, progress);
    Digest id = idHere(pulled.ids());
    if (id == null) {
      throw new IOException("the engine took the image, and has none of its ids");
    }
    String message =
        words(image.id(), tag)
            + " is here"
            + as(image.id(), id)
            + ": "
            + pulled.layersFetched()
            + " of "
            + Count.of(pulled.layers(), "layer")
            + " fetched"
            + name(id, tag);
    return new Moved(message, id, tag, pulled.layers(), pulled.layersFetched(), pulled.bytes());
  }

  private @Nullable Digest idHere(List<Digest> ids) throws IOException {
    for (Digest id : ids) {
      if (images.has(id)) {
        return id;
      }
    }
    return null;
  }

  /** Of an engine with another kind of store: to a queue that is another image. */
  private static String as(Digest wanted, Digest given) {
    return wanted.equals(given)
        ? ""
        : " as " + shown(given) + ", since the engine's store is of another kind";
  }

  /** Names it, unless that name is another image's here; says what was not done. */
  String name(Digest id, @Nullable ImageTag tag) throws IOException {
    if (tag == null) {
      return "";
    }
    Optional<Digest> named = images.idOf(tag);
    if (named.isEmpty()) {
      images.tag(id, tag);
      return "";
    }
    return named.get().equals(id)
        ? ""
        : "; here "
            + tag
            + " is another image ("
            + shown(named.get())
            + ") and stays so: 'docker tag "
            + shown(id)
            + " NAME' gives this one a name";
  }

  private static boolean isIdOf(String name, Digest id) {
    return id.toString().startsWith(name) || id.hex().startsWith(name);
  }

  private static String words(Digest id, @Nullable ImageTag tag) {
    return tag == null ? "image " + shown(id) : "image " + tag + " (" + shown(id) + ")";
  }

  static String shown(Digest id) {
    return id.hex().substring(0, SHOWN_DIGITS);
  }

  /** The images of a store, as rows: what is complete, then what is on its way. */
  public static List<JsonObject> list(RemoteStore store) throws IOException {
    RemoteImages remote = new RemoteImages(store);
    var tags = remote.tags();
    List<JsonObject> rows = new ArrayList<>();
    List<Digest> complete = remote.images();
    for (Digest id : complete) {
      Optional<StoredImage> image = remote.image(id);
      if (image.isPresent()) {
        List<String> names =
            tags.entrySet().stream()
                .filter(tag -> tag.getValue().equals(id))
                .map(tag -> tag.getKey().toString())
                .sorted()
                .toList();
        rows.add(
            row(id, names, "complete")
                .with("layers", image.get().content().layers().size())
                .with("sizeBytes", image.get().sizeBytes()));
      }
    }
    for (RemoteImages.Upload upload : remote.uploads()) {
      if (!complete.contains(upload.id())) {
        List<String> names = upload.name().isEmpty() ? List.of() : List.of(upload.name());
        rows.add(row(upload.id(), names, "uploading"));
      }
    }
    return rows;
  }

  private static JsonObject row(Digest id, List<String> names, String state) {
    return new JsonObject()
        .with("kind", "image")
        .with("id", id.toString())
        .with("names", names)
        .with("state", state);
  }
}
