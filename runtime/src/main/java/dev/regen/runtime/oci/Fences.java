package dev.regen.runtime.oci;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.os.Fd;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/**
 * Queues that have moved to another host: no run of theirs begins here, whatever {@code
 * regen.on-failure} says, for it may run there.
 *
 * <p>A fence stands in a small file of its own, set and looked at under the queue's lock: a start
 * either has its run record before the fence is there, or finds the fence. Safe for use by several
 * threads and processes at once.
 */
public final class Fences {
  private static final int BYTES_MAX = 64 << 10;

  private final Disk disk;
  private final Path directory;
  private final RunRecords records;

  /**
   * @param home {@code /var/lib/regen}
   */
  public Fences(Disk disk, Path home) {
    this.disk = disk;
    this.directory = home.resolve("fences");
    this.records = new RunRecords(disk, home.resolve("runs"));
  }

  /**
   * A queue's fence.
   *
   * @param move which move set it
   * @param to where the queue went
   * @param container that ran here last, null if there was none
   * @param running whether that ran when the fence was set
   * @param lifted it keeps nobody from running any more, and is there only for whoever takes the
   *     move back
   */
  public record Fence(
      String move,
      String to,
      Instant at,
      @Nullable String container,
      boolean running,
      boolean lifted) {
    public Fence asLifted() {
      return new Fence(move, to, at, container, running, true);
    }

    public JsonObject json() {
      return new JsonObject()
          .with("move", move)
          .with("to", to)
          .with("at", at)
          .with("container", container)
          .with("running", running)
          .with("lifted", lifted);
    }

    public static Fence of(JsonObject json) throws IOException {
      return new Fence(
          json.string("move"),
          json.string("to"),
          json.instant("at"),
          json.stringOrNull("container"),
          json.flag("running"),
          json.flag("lifted"));
    }
  }

  /** The fence of a queue, null for none. */
  public @Nullable Fence find(QueueName queue) throws IOException {
    byte[] bytes;
    try {
      bytes = disk.read(file(queue), BYTES_MAX);
    } catch (NoSuchFileException e) {
      return null;
    }
    return Fence.of(JsonObject.parse(new String(bytes, StandardCharsets.UTF_8)));
  }

  /**
   * Where a queue went that may not run here, null if it may. A fence that is there and cannot be
   * read is one: where the queue went is not needed to know that it did.
   *
   * @throws IOException if nobody can say whether there is one
   */
  public @Nullable String movedTo(QueueName queue) throws IOException {
    if (disk.size(file(queue)) < 0) {
      return null;
    }
    try {
      Fence fence = find(queue);
      return fence == null || fence.lifted() ? null : fence.to();
    } catch (IOException e) {
      return "another node";
    }
  }

  /** Sets a fence, or replaces it; it survives a power cut once this has returned. */
  public void set(QueueName queue, Fence fence) throws IOException {
    Records files = new Records(disk);
    files.makeDirectory(directory);
    try (Fd _ = records.lock(queue)) {
      files.replace(file(queue), fence.json().toString().getBytes(StandardCharsets.UTF_8));
    }
  }

  /** Takes a fence away, if there is one. */
  public void remove(QueueName queue) throws IOException {
    if (disk.size(file(queue)) >= 0) {
      new Records(disk).remove(file(queue));
    }
  }

  /** Whether a run of the queue is under way here, or about to be. */
  public boolean isInUse(QueueName queue) throws IOException {
    return new QueueOwners(records, this, InstantSource.system()).isInUse(queue);
  }

  /**
   * Why no run of a queue may begin here, null if it may; to be relied on, it is asked under the
   * queue's lock. A fence that cannot be read is one.
   */
  public @Nullable String refusal(QueueName queue) throws IOException {
    String where = movedTo(queue);
    if (where == null) {
      return null;
    }
    return "queue "
        + queue
        + " has moved to "
        + where
        + ", where its container runs or may run; move it back ('regen move'), or, if it runs"
        + " nowhere else, 'regen stay "
        + queue
        + "'";
  }

  private Path file(QueueName queue) {
    return directory.resolve(queue.value());
  }
}
