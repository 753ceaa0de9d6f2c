package dev.regen.agent.container;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.FrozenLayer.IdRange;
import dev.regen.runtime.oci.KnownContainers;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.capture.Captures;
import dev.regen.snapshot.capture.Hold;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.chunk.Sealing;
import dev.regen.snapshot.diff.Change;
import dev.regen.snapshot.diff.LayerDiff;
import dev.regen.snapshot.layer.ArchiveEntries;
import dev.regen.snapshot.layer.ArchiveRequest;
import dev.regen.snapshot.layer.ImageTree;
import dev.regen.snapshot.layer.LayerEntries;
import dev.regen.snapshot.layer.TreeEntries;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * What differs between a snapshot and another one, or the container as it is now. Nothing is
 * unpacked, mounted or paused. One comparison is made at a time.
 */
public final class Differences {
  private static final String ALONE =
      "the layers are compared by themselves, so what only one of them has counts as added or"
          + " deleted, and a deleted directory of the image has one line";

  private final Targets targets;
  private final KnownContainers containers;
  private final PlainLayers plain;
  private final ImageLayers images;
  private final Captures captures;
  private final ChunkReader chunks;
  private final InstantSource clock;
  private final Semaphore slot = new Semaphore(1, true);

  public Differences(
      Targets targets,
      KnownContainers containers,
      PlainLayers plain,
      ImageLayers images,
      Captures captures,
      ChunkReader chunks,
      InstantSource clock) {
    this.targets = targets;
    this.containers = containers;
    this.plain = plain;
    this.images = images;
    this.captures = captures;
    this.chunks = chunks;
    this.clock = clock;
  }

  /** Opens the newer side. */
  private interface Opener {
    LayerEntries open() throws IOException;
  }

  /**
   * A comparison that can be made.
   *
   * @param container the name of the container that is compared, null for a snapshot
   * @param running whether that container runs, and so may change meanwhile
   * @param notes what one should know of the result, in sentences
   */
  public record Prepared(
      @Nullable String container, boolean running, List<String> notes, Work work) {}

  /** Makes a comparison; tells the changes in order. */
  @FunctionalInterface
  public interface Work {
    void run(Change.Sink sink) throws IOException;
  }

  /** The base that both sides lie on. */
  private record Base(List<Path> layers, List<IdRange> uidMap, List<IdRange> gidMap) {
    private static final Base NONE = new Base(List.of(), List.of(), List.of());

    private @Nullable ImageTree open() throws IOException {
      return layers.isEmpty() ? null : new ImageTree(layers, uidMap, gidMap);
    }
  }

  /** From one snapshot to another, which may be of another queue. */
  public Prepared between(Snapshot from, Snapshot to) throws IOException {
    List<String> notes = new ArrayList<>();
    Base base = from.imageId().equals(to.imageId()) ? base(from) : Base.NONE;
    if (base.layers().isEmpty()) {
      notes.add(why(from, to.imageId()) + ": " + ALONE);
    }
    Opener now = () -> new ArchiveEntries(chunks, to.archive());
    return new Prepared(null, false, notes, sink -> run(from, now, base, Instant.MAX, sink));
  }

  /**
   * From a snapshot to the present state of a container.
   *
   * @param name of the container, or of a queue
   * @throws RegenException.NotFound if there is no such container here
   * @throws RegenException.Refused if its layer is not found
   */
  public Prepared toContainer(Snapshot from, String name) throws IOException {
    Target target =
        targets
            .find(name)
            .orElseThrow(() ->
                new RegenException.NotFound(
                    "no container '"
                        + name
                        + "' is here to compare with; name a second snapshot, or another container"
                        + " with --container"));
    FrozenLayer layer = layerOf(target);
    List<String> notes = new ArrayList<>();
    if (target.running() && !target.paused()) {
      notes.add("container " + target.name() + " is running: it may change while it is read");
    }
    Base base =
        from.imageId().equals(layer.facts().imageId()) ? base(from, target, layer) : Base.NONE;
    if (base.layers().isEmpty()) {
      notes.add(why(from, layer.facts().imageId()) + ": " + ALONE);
    }
    ArchiveRequest request = ArchiveRequest.of(layer, Sealing.NONE);
    return new Prepared(
        target.name(),
        target.running(),
        notes,
        sink -> {
          FrozenLayer read =
              target.known() == null ? layer : containers.inPlace(target.id(), layer.endedAt());
          try {
            run(from, () -> new TreeEntries(read.tree(), request), base, from.time(), sink);
          } finally {
            containers.letGo(read);
          }
        });
  }

  private void run(Snapshot from, Opener now, Base base, Instant since, Change.Sink sink)
      throws IOException {
    slot.acquireUninterruptibly();
    try (Hold _ = captures.reading();
        LayerEntries before = new ArchiveEntries(chunks, from.archive());
        LayerEntries after = now.open();
        ImageTree image = base.open()) {
      new LayerDiff(before, after, image, since, sink).run();
    } finally {
      slot.release();
    }
  }

  private FrozenLayer layerOf(Target target) throws IOException {
    Instant now = clock.instant();
    if (target.known() != null) {
      return containers.describe(target.id(), now);
    }
    Path upper = plain.upper(target);
    if (upper == null) {
      throw new RegenException.Refused(
          "the writable layer of container " + target.name() + " was not found");
    }
    return plain.inPlace(target, upper, now);
  }

  private Base base(Snapshot from, Target target, FrozenLayer layer) throws IOException {
    List<Path> layers =
        target.known() == null ? List.of() : ImageLayers.allThere(target.known().lowers());
    return new Base(
        layers.isEmpty() ? images.ifHere(from) : layers,
        layer.facts().uidMap(),
        layer.facts().gidMap());
  }

  /** As the engine says, or as a container of the queue has it. */
  private Base base(Snapshot snapshot) throws IOException {
    FrozenLayer sameImage = null;
    List<Path> lowers = List.of();
    for (KnownContainers.Known known : ofQueue(snapshot.queue())) {
      FrozenLayer layer = containers.describe(known.id(), clock.instant());
      if (layer.facts().imageId().equals(snapshot.imageId())) {
        sameImage = layer;
        lowers = ImageLayers.allThere(known.lowers());
      }
    }
    List<Path> layers = images.ifHere(snapshot);
    return new Base(
        layers.isEmpty() ? lowers : layers,
        sameImage == null ? List.of() : sameImage.facts().uidMap(),
        sameImage == null ? List.of() : sameImage.facts().gidMap());
  }

  private List<KnownContainers.Known> ofQueue(QueueName queue) throws IOException {
    return containers.list().stream().filter(known -> known.queue().equals(queue)).toList();
  }

  private static String why(Snapshot from, String otherImage) {
    if (from.imageId().isEmpty() || otherImage.isEmpty()) {
      return "no image is known";
    }
    return from.imageId().equals(otherImage)
        ? "the layers of image " + from.imageName() + " are not at hand"
        : "the two have different images";
  }
}
