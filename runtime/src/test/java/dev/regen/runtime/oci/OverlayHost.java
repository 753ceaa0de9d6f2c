package dev.regen.runtime.oci;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.FrozenLayer.IdRange;
import dev.regen.runtime.oci.HookCall.Verb;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Mount;
import dev.regen.runtime.overlay.MountTable;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.TreeRemoval;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an engine does around the hooks, without the engine: a data root with containers' records,
 * bundles, and real overlay mounts. Archiving is a rename here: the newest frozen tree becomes the
 * hot one.
 */
final class OverlayHost implements AutoCloseable {
  static final QueueName QUEUE = new QueueName("desk");

  private final Path root;
  private final Path home;
  private final Path layers;
  private final List<Path> mounted = new ArrayList<>();
  final List<String> told = java.util.Collections.synchronizedList(new ArrayList<>());

  /** The queues that it was told of. */
  final List<String> toldOf = java.util.Collections.synchronizedList(new ArrayList<>());

  private int containers;
  private int snapshots;

  /** Who archives. */
  PendingLayers pending = new Nobody();

  /** What snapshots are said to hold of an upper. */
  KnownFiles known = KnownFiles.NONE;

  /** A host in a directory of its own; a test without root is skipped. */
  OverlayHost() throws IOException {
    this(emptyDirectory());
  }

  private OverlayHost(Path root) throws IOException {
    this.root = root;
    this.home = root.resolve("home");
    this.layers = root.resolve("docker/overlay2");
    Files.createDirectories(layers);
    Files.createDirectories(root.resolve("image/etc"));
    Files.writeString(root.resolve("image/etc/deleted"), "of the image");
  }

  /** A container that the engine has created and mounted. */
  record Created(ContainerId id, Path bundle, Path upper, Path merged, boolean autoRemove) {
    HookCall call(Verb verb, boolean force) {
      return new HookCall(verb, id, bundle, Path.of("/run/no-runc"), force);
    }
  }

  private static Path emptyDirectory() throws IOException {
    assumeTrue(Files.isWritable(Path.of("/proc/sys/vm/drop_caches")), "needs root: it mounts");
    return Files.createTempDirectory(Path.of("/var/lib"), "regen-test-");
  }

  Path home() {
    return home;
  }

  /** The layer below all containers. */
  Path image() {
    return root.resolve("image");
  }

  /** Something is mounted here that {@link #close} takes off. */
  void mounted(Path at) {
    mounted.add(at);
  }

  /** One call of the front. */
  Answer handle(Created container, Verb verb) {
    return extension(new LocalDisk()).handle(container.call(verb, false));
  }

  /** A container that runs. */
  Created running(boolean autoRemove) throws IOException {
    Created container = create(autoRemove);
    handle(container, Verb.CREATE);
    started(container);
    return container;
  }

  /** The end of one that runs. */
  void end(Created container) throws IOException {
    handle(container, Verb.DELETE);
    gone(container);
  }

  RuntimeExtension extension(Disk disk) {
    return new RuntimeExtension(
        disk,
        home,
        List.of(root.resolve("docker")),
        new TailTree(),
        pending,
        known,
        (kind, queue, message) -> {
          told.add(kind + " " + message);
          toldOf.add(String.valueOf(queue));
        },
        InstantSource.system());
  }

  Created create(boolean autoRemove) throws IOException {
    String id = "%064x".formatted(++containers);
    Path layer = layers.resolve(id);
    for (String directory : List.of("diff", "work", "merged")) {
      Files.createDirectories(layer.resolve(directory));
    }
    Path record = Files.createDirectories(root.resolve("docker/containers").resolve(id));
    Files.writeString(
        record.resolve("config.v2.json"),
        """
        {"Name":"/desk","Image":"sha256:1","Config":{"Image":"box","Labels":{"regen.keeps":"3"}},"State":{},"MountPoints":{}}\
        """);
    Files.writeString(record.resolve("hostconfig.json"), "{\"AutoRemove\":" + autoRemove + "}");
    Path bundle = Files.createDirectories(root.resolve("bundles").resolve(id));
    JsonObject config =
        new JsonObject()
            .with("root", new JsonObject().with("path", layer.resolve("merged").toString()))
            .with("mounts", List.of());
    Files.write(bundle.resolve("config.json"), config.bytes());
    Created created =
        new Created(
            new ContainerId(id),
            bundle,
            layer.resolve("diff"),
            layer.resolve("merged"),
            autoRemove);
    mount(created);
    return created;
  }

  void mount(Created container) throws IOException {
    mount(container, image());
  }

  /** As {@link #mount(Created)}, with the image seen at {@code image}. */
  void mount(Created container, Path image) throws IOException {
    String options =
        "lowerdir=%s,upperdir=%s,workdir=%s"
            .formatted(image, container.upper(), container.upper().resolveSibling("work"));
    Mount.mount("overlay", container.merged(), "overlay", 0, Fd.bytes(options));
    mounted.add(container.merged());
  }

  void started(Created container) throws IOException {
    Path own = home.resolve("runs").resolve(container.id().value());
    if (Files.isDirectory(own)) {
      Files.write(own.resolve("started"), new byte[0]);
    }
  }

  /** What the engine does after the last delete: unmount, and remove what --rm removes. */
  void gone(Created container) throws IOException {
    while (MountTable.read().at(container.merged()) != null) {
      Mount.detach(container.merged());
    }
    if (container.autoRemove()) {
      TreeRemoval.remove(
          container.bundle().resolveSibling("../docker/overlay2/" + container.id()).normalize());
      TreeRemoval.remove(root.resolve("docker/containers").resolve(container.id().value()));
    }
  }

  /** What the front does at an end where no agent answered, before it starts a process. */
  void putAway(Created container) throws IOException {
    Path own = home.resolve("runs").resolve(container.id().value());
    if (Files.exists(own.resolve("started")) && Files.exists(own.resolve("put-away"))) {
      List<String> names = Files.readAllLines(own.resolve("put-away"));
      Files.write(own.resolve("over"), new byte[0]);
      Files.move(Path.of(names.get(0)), Path.of(names.get(1)));
      Files.createDirectory(Path.of(names.get(0)));
    }
  }

  /** The engine unmounts the union, says that the container goes, and removes a part of it. */
  void beginsToRemove(Created container, String file) throws IOException {
    while (MountTable.read().at(container.merged()) != null) {
      Mount.detach(container.merged());
    }
    inRecord(container, "\"State\":{}", "\"State\":{\"Dead\":true}");
    Files.delete(container.upper().resolve(file));
  }

  /** Says something else in the engine's record of the container. */
  void inRecord(Created container, String before, String after) throws IOException {
    Path config =
        root.resolve("docker/containers").resolve(container.id().value()).resolve("config.v2.json");
    Files.writeString(config, Files.readString(config).replace(before, after));
  }

  /** {@code docker rm} of a container that stayed. */
  void remove(Created container) throws IOException {
    String id = container.id().value();
    TreeRemoval.remove(layers.resolve(id));
    TreeRemoval.remove(root.resolve("docker/containers").resolve(id));
  }

  /** Archives what the spool holds, as the agent would. */
  void archive() throws IOException {
    for (FrozenLayer layer : spool().list()) {
      Path hot = hot();
      if (hot != null) {
        TreeRemoval.remove(hot);
      }
      Path next =
          new Staging(root.resolve("docker").resolve(Staging.NAME))
              .hot("%032x".formatted(++snapshots));
      if (layer.kind() == FrozenLayer.Kind.EXCHANGED) {
        new LocalDisk().rename(layer.tree(), next);
      } else {
        copy(layer.tree(), next);
        TreeRemoval.remove(layer.tree());
      }
      spool().remove(layer.job());
    }
  }

  Spool spool() {
    return new Spool(new LocalDisk(), home.resolve("spool"));
  }

  /** Everything in staging, by name. */
  List<String> staged() throws IOException {
    return new LocalDisk()
        .list(root.resolve("docker").resolve(Staging.NAME)).stream()
            .map(tree -> String.valueOf(tree.getFileName()))
            .toList();
  }

  @Override
  public void close() throws IOException {
    for (Path at : mounted.reversed()) {
      while (MountTable.read().at(at) != null) {
        Mount.detach(at);
      }
    }
    TreeRemoval.remove(root);
  }

  private @Nullable Path hot() throws IOException {
    for (Path tree : new LocalDisk().list(root.resolve("docker").resolve(Staging.NAME))) {
      if (String.valueOf(tree.getFileName()).startsWith(Staging.HOT)) {
        return tree;
      }
    }
    return null;
  }

  private static void copy(Path from, Path to) throws IOException {
    try {
      int code = new ProcessBuilder("cp", "-a", from.toString(), to.toString()).start().waitFor();
      if (code != 0) {
        throw new IOException("cp -a " + from + " failed");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /** The one hot tree there is. */
  private final class TailTree implements NextTrees {
    @Override
    public Next next(
        ContainerSettings settings,
        String imageId,
        List<IdRange> uidMap,
        List<IdRange> gidMap,
        Staging staging)
        throws IOException {
      Path hot = hot();
      return hot == null
          ? new Next.Nothing()
          : new Next.Tree(
              hot, hot.getFileName().toString().substring(Staging.HOT.length()), false, null);
    }

    @Override
    public void check(QueueName queue) {}

    @Override
    public void consumed(QueueName queue, String snapshot) {}

    @Override
    public void returned(QueueName queue, String snapshot) {}
  }

  /** No agent: nothing reads, everything may be taken. */
  private static final class Nobody implements PendingLayers {
    @Override
    public boolean awaitArchived(QueueName queue, Duration limit) {
      return false;
    }

    @Override
    public boolean takeOver(QueueName queue, Duration limit) {
      return true;
    }
  }
}
