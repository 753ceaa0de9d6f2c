package dev.regen.agent.container;

import dev.regen.agent.jobs.Job;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.overlay.MountTable;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.capture.Captures;
import dev.regen.snapshot.capture.Hold;
import dev.regen.snapshot.layer.LayerRestorer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Snapshots that somebody looks into: unpacked under {@code home/mounts/ID}, with short links to
 * the image's layers beside, since the kernel takes only a page of mount options. The mount itself
 * is made by the caller, in his own mount namespace; its source is {@code regen-ID}.
 */
public final class MountedSnapshots {
  /** What the source of such a mount begins with. */
  public static final String SOURCE = "regen-";

  private static final Logger LOG = LoggerFactory.getLogger(MountedSnapshots.class);
  private static final Pattern ID = Pattern.compile("[0-9a-f]{8}");

  private final ImageLayers layers;
  private final LayerRestorer restorer;
  private final Captures captures;
  private final Disk disk;
  private final Path directory;

  public MountedSnapshots(
      ImageLayers layers, LayerRestorer restorer, Captures captures, Disk disk, Path home) {
    this.layers = layers;
    this.restorer = restorer;
    this.captures = captures;
    this.disk = disk;
    this.directory = home.resolve("mounts");
  }

  /**
   * Unpacks a snapshot and names the layers below it.
   *
   * @return {@code id}, {@code base}: the directory that the relative paths in {@code lowerdir},
   *     the mount option, start from
   * @throws RegenException.Refused if the image or its layers are not to be had
   */
  public JsonObject prepare(Snapshot snapshot, Job job) throws IOException {
    List<Path> image = layers.of(snapshot);
    String id = UUID.randomUUID().toString().substring(0, 8);
    Path own = directory.resolve(id);
    new Records(disk).makeDirectory(own);
    try {
      job.step("unpacking " + snapshot.id().shortened());
      try (Hold _ = captures.reading()) {
        restorer.restore(snapshot.archive(), own.resolve("t"), List.of(), List.of(), job);
      }
      List<String> lowers = new ArrayList<>(List.of("t"));
      for (Path layer : image) {
        String name = String.valueOf(lowers.size());
        Files.createSymbolicLink(own.resolve(name), layer);
        lowers.add(name);
      }
      if (lowers.size() == 1) {
        // The kernel wants two layers where there is no upper.
        disk.makeDirectories(own.resolve("e"));
        lowers.add("e");
      }
      return new JsonObject()
          .with("id", id)
          .with("base", own.toString())
          .with("lowerdir", String.join(":", lowers));
    } catch (IOException | RuntimeException e) {
      TreeRemoval.remove(own);
      throw e;
    }
  }

  /**
   * Removes what {@link #prepare} made.
   *
   * @throws RegenException.Refused while it is mounted
   */
  public void remove(String id) throws IOException {
    if (!ID.matcher(id).matches()) {
      throw new RegenException.BadInput("that is no mount of Regen's");
    }
    if (isMounted(id)) {
      throw new RegenException.Refused("it is still mounted");
    }
    TreeRemoval.remove(directory.resolve(id));
  }

  /** Removes what is mounted nowhere any more; for the agent's start. */
  public void sweep() throws IOException {
    layers.forgetRemoved();
    for (Path own : disk.list(directory)) {
      String id = String.valueOf(own.getFileName());
      if (!isMounted(id)) {
        TreeRemoval.remove(own);
        LOG.info("removed {}, which was not mounted any more", own);
      }
    }
  }

  private static boolean isMounted(String id) throws IOException {
    return MountTable.read().entries().stream()
        .anyMatch(mount -> mount.source().equals(SOURCE + id));
  }
}
