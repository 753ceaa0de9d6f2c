package dev.regen.runtime.oci;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What hooks left for the agent: one file a frozen layer, named after its job.
 *
 * <p>A job exists from {@link #write} to {@link #remove}, over crashes of everything. Whoever
 * removes it first decides: a start that takes the tree over removes the job, and the agent, which
 * looks once more before it records a snapshot, drops what it has.
 */
public final class Spool {
  private static final Logger LOG = LoggerFactory.getLogger(Spool.class);
  private static final String SUFFIX = ".json";
  private static final long JOB_MAX_BYTES = 32 << 20;

  private final Disk disk;
  private final Path directory;

  public Spool(Disk disk, Path directory) {
    this.disk = disk;
    this.directory = directory;
  }

  /** Stores a job; it survives a power cut once this has returned. */
  public void write(FrozenLayer layer) throws IOException {
    disk.makeDirectories(directory);
    new Records(disk).replace(file(layer.job()), layer.json().bytes());
  }

  /** Whether a job could be written now; the failure says why not. */
  public void probe() throws IOException {
    disk.makeDirectories(directory);
    Path probe = directory.resolve(Records.UNFINISHED + "probe-" + UUID.randomUUID());
    try {
      disk.create(probe, ByteBuffer.wrap(new byte[1]));
    } finally {
      disk.delete(probe);
    }
  }

  /** The jobs that can be read, those whose run ended first in front. */
  public List<FrozenLayer> list() throws IOException {
    List<FrozenLayer> layers = new ArrayList<>();
    for (Path file : files()) {
      try {
        layers.add(read(file));
      } catch (NoSuchFileException e) {
        LOG.debug("{} was done meanwhile", file);
      } catch (IOException e) {
        LOG.warn("{} cannot be read; its tree stays where it is: {}", file, e.getMessage());
      }
    }
    layers.sort(Comparator.comparing(FrozenLayer::endedAt));
    return layers;
  }

  /** The jobs of one queue. */
  public List<FrozenLayer> list(QueueName queue) throws IOException {
    return list().stream().filter(layer -> layer.queue().equals(queue)).toList();
  }

  /** Whether the job is still to be done. */
  public boolean holds(String job) throws IOException {
    return disk.list(directory).contains(file(job));
  }

  /**
   * Removes what unfinished writes left. A hook that is writing at this moment fails, and its end
   * is found by {@link RuntimeExtension#recover}.
   */
  public void sweep() throws IOException {
    new Records(disk).sweep(directory);
  }

  public void remove(String job) throws IOException {
    new Records(disk).remove(file(job));
  }

  private List<Path> files() throws IOException {
    return disk.list(directory).stream().filter(Spool::isJob).toList();
  }

  private static boolean isJob(Path file) {
    String name = String.valueOf(file.getFileName());
    return name.endsWith(SUFFIX) && !name.startsWith(Records.UNFINISHED);
  }

  private FrozenLayer read(Path file) throws IOException {
    return FrozenLayer.of(JsonObject.parse(disk.read(file, JOB_MAX_BYTES)));
  }

  private Path file(String job) {
    return directory.resolve(job + SUFFIX);
  }
}
