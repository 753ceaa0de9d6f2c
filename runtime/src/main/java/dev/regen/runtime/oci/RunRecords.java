package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.TreeRemoval;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The run records of this host: {@code runs/CONTAINER/record.json}, and beside it what the {@code
 * sh} front writes by itself: {@code started} before {@code runc start}, {@code signals} at each
 * {@code kill}; {@code ended}, which tells the front that a further {@code delete} is none of ours;
 * and {@code replacing.json} while the upper of a container that has ended is exchanged.
 */
final class RunRecords {
  static final Duration LOCK_LIMIT = Duration.ofSeconds(5);

  private static final long RECORD_MAX_BYTES = 64 << 20;
  private static final long SIGNALS_MAX_BYTES = 1 << 16;
  private static final int LOCK_POLL_MILLIS = 5;

  private final Disk disk;
  private final Path directory;

  RunRecords(Disk disk, Path directory) {
    this.disk = disk;
    this.directory = directory;
  }

  /**
   * Waits until nobody else works on the container, the agent and one-shot hooks alike.
   *
   * @throws IOException if that takes longer than {@link #LOCK_LIMIT}
   */
  Fd lock(ContainerId container) throws IOException {
    disk.makeDirectories(own(container));
    return lock(lockOf(container), "container " + container.shortened());
  }

  /** Waits until no other start decides whose the queue is; it is held for a moment only. */
  Fd lock(QueueName queue) throws IOException {
    Path locks = directory.resolveSibling("locks");
    disk.makeDirectories(locks);
    return lock(locks.resolve(queue.value()), "queue " + queue);
  }

  /** Whether a hook works on the container now. */
  boolean isLocked(ContainerId container) throws IOException {
    try (Fd lock = Fd.open(Fd.bytes(lockOf(container)), Fd.RDWR, 0)) {
      return !lock.tryLock();
    } catch (ErrnoException e) {
      if (e.is(ErrnoException.ENOENT)) {
        return false;
      }
      throw e;
    }
  }

  private static Fd lock(Path file, String what) throws IOException {
    Fd lock = Fd.open(Fd.bytes(file), Fd.RDWR | Fd.CREAT, 0600);
    long deadline = System.nanoTime() + LOCK_LIMIT.toNanos();
    try {
      while (!lock.tryLock()) {
        if (System.nanoTime() > deadline) {
          throw new IOException(what + " is being worked on");
        }
        Thread.sleep(LOCK_POLL_MILLIS);
      }
      return lock;
    } catch (InterruptedException e) {
      lock.close();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (IOException e) {
      lock.close();
      throw e;
    }
  }

  /** The container's last run, or null if Regen knows of none. */
  @Nullable RunRecord read(ContainerId container) throws IOException {
    try {
      return RunRecord.of(
          JsonObject.parse(disk.read(own(container).resolve("record.json"), RECORD_MAX_BYTES)));
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  /** Stores the record of a new run; the marks of the run before are gone first. */
  void begin(RunRecord record) throws IOException {
    Path own = own(record.container());
    disk.delete(own.resolve("started"));
    disk.delete(own.resolve("signals"));
    disk.delete(own.resolve("over"));
    write(record);
    disk.delete(own.resolve("ended"));
  }

  /** Stores a record; it survives a power cut once this has returned. */
  void write(RunRecord record) throws IOException {
    new Records(disk)
        .replace(own(record.container()).resolve("record.json"), record.json().bytes());
  }

  /** Marks the run as over, for containers that stay. */
  void end(RunRecord record) throws IOException {
    write(record.ended());
    Files.write(own(record.container()).resolve("ended"), new byte[0]);
  }

  /** Forgets the run, not the lock that the caller holds. */
  void forget(ContainerId container) throws IOException {
    disk.delete(own(container).resolve("started"));
    disk.delete(own(container).resolve("signals"));
    disk.delete(own(container).resolve("over"));
    new Records(disk).remove(own(container).resolve("record.json"));
  }

  /** Forgets the container. */
  void remove(ContainerId container) throws IOException {
    TreeRemoval.remove(own(container));
  }

  /** The exchange of the container's upper that was begun and may not be over, or null. */
  @Nullable ReplacementRecord replacing(ContainerId container) throws IOException {
    try {
      byte[] json = disk.read(own(container).resolve("replacing.json"), RECORD_MAX_BYTES);
      return ReplacementRecord.of(JsonObject.parse(json));
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  /** Notes that the container's upper is about to be exchanged; survives a power cut. */
  void replacing(ContainerId container, ReplacementRecord replacing) throws IOException {
    new Records(disk).replace(own(container).resolve("replacing.json"), replacing.json().bytes());
  }

  /** The exchange of the container's upper is over. */
  void replaced(ContainerId container) throws IOException {
    new Records(disk).remove(own(container).resolve("replacing.json"));
  }

  /** When {@code runc start} was called for the run, or null if it was not. */
  @Nullable Instant startedAt(ContainerId container) throws IOException {
    try {
      return Files.getLastModifiedTime(own(container).resolve("started")).toInstant();
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  /** The signals that the engine sent, in order, as it named them. */
  List<String> signals(ContainerId container) throws IOException {
    try {
      byte[] lines = disk.read(own(container).resolve("signals"), SIGNALS_MAX_BYTES);
      return new String(lines, StandardCharsets.UTF_8).lines().toList();
    } catch (NoSuchFileException e) {
      return List.of();
    }
  }

  /** Every record that can be read; another's broken record is no concern of this container. */
  List<RunRecord> list() throws IOException {
    List<RunRecord> records = new ArrayList<>();
    for (Path own : disk.list(directory)) {
      RunRecord record = readIfSound(String.valueOf(own.getFileName()));
      if (record != null) {
        records.add(record);
      }
    }
    return records;
  }

  private @Nullable RunRecord readIfSound(String container) {
    try {
      return read(new ContainerId(container));
    } catch (IOException | IllegalArgumentException e) {
      return null;
    }
  }

  private Path lockOf(ContainerId container) {
    return own(container).resolve("lock");
  }

  /** Where all is that is known of the container's last run. */
  Path own(ContainerId container) {
    return directory.resolve(container.value());
  }
}
