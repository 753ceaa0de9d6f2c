package dev.regen.snapshot.queue;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.FileTooLargeException;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.store.SealedRecord;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * The queues of one host: {@code NAME/queue.json}, and {@code NAME/lock} beside it. A queue is
 * there once its {@code queue.json} is.
 */
public final class SnapshotQueues {
  /** How long to wait for somebody else who changes the same queue. */
  public static final Duration WAIT = Duration.ofSeconds(10);

  private static final Duration RETRY = Duration.ofMillis(10);
  private static final String FILE = "queue.json";

  private final Disk disk;
  private final Records records;
  private final Path directory;
  private final InstantSource clock;
  private final List<QueueWatcher> watchers = new CopyOnWriteArrayList<>();

  /** All of them. */
  private final QueueWatcher watcher =
      new QueueWatcher() {
        @Override
        public void changed(
            QueueName queue, @Nullable QueueContent before, @Nullable QueueContent after) {
          watchers.forEach(each -> each.changed(queue, before, after));
        }

        @Override
        public void changing(QueueName queue, QueueContent before, @Nullable QueueContent after) {
          watchers.forEach(each -> each.changing(queue, before, after));
        }
      };

  /** Opens the queues in {@code directory}, which is made if need be. */
  public SnapshotQueues(Disk disk, Path directory) throws IOException {
    this(disk, directory, InstantSource.system());
  }

  public SnapshotQueues(Path directory) throws IOException {
    this(new LocalDisk(), directory);
  }

  SnapshotQueues(Disk disk, Path directory, InstantSource clock) throws IOException {
    this.disk = disk;
    this.records = new Records(disk);
    this.directory = directory;
    this.clock = clock;
    records.makeDirectory(directory);
  }

  /** Tells {@code told} too of every change that is made through this object from now on. */
  public void watch(QueueWatcher told) {
    watchers.add(told);
  }

  /** The names of all queues, sorted; their files may be damaged. */
  public List<QueueName> list() throws IOException {
    List<QueueName> names = new ArrayList<>();
    for (Path queue : disk.list(directory)) {
      String name = queue.getFileName().toString();
      if (QueueName.isValid(name) && exists(new QueueName(name))) {
        names.add(new QueueName(name));
      }
    }
    return names;
  }

  public boolean exists(QueueName name) throws IOException {
    return disk.size(file(name)) >= 0;
  }

  /**
   * What a queue holds now; waits for nobody.
   *
   * @throws RegenException.NotFound if there is no such queue
   * @throws RegenException.Damaged if its file is not what was written
   * @throws RegenException.Refused if a newer Regen wrote it
   */
  public QueueContent look(QueueName name) throws IOException {
    Path file = file(name);
    try {
      JsonObject json =
          SealedRecord.open(file, disk.read(file, QueueCodec.BYTES_MAX), QueueCodec.VERSION);
      QueueContent content = decode(name, json);
      if (!content.name().equals(name)) {
        throw new RegenException.Damaged(file + " is the file of queue " + content.name());
      }
      return content;
    } catch (NoSuchFileException e) {
      throw new RegenException.NotFound(
          "no queue '" + name + "'; 'regen ls' lists the queues of this host");
    } catch (RegenException.Damaged e) {
      throw damaged(name, String.valueOf(e.getMessage()));
    } catch (FileTooLargeException e) {
      throw damaged(name, e.getMessage() + "; no queue is that long");
    }
  }

  /**
   * Opens a queue for changes, and waits for whoever is changing it, at most {@link #WAIT}.
   *
   * @throws RegenException.NotFound if there is no such queue
   * @throws RegenException.Damaged if its file is not what was written
   * @throws RegenException.Refused if somebody else holds it all that time
   */
  public SnapshotQueue open(QueueName name) throws IOException {
    if (!exists(name)) {
      look(name);
    }
    Disk.Lock lock = lock(name);
    try {
      return new SnapshotQueue(disk, file(name), lock, watcher, look(name));
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /**
   * Opens a queue for changes; a new one is empty, and lasts before this returns.
   *
   * @param keep the length that the container's label asks for, or the default. It becomes the
   *     length of an old queue only if it is another than the label asked for last; so a length set
   *     by {@code regen keep} stays
   */
  public SnapshotQueue openOrCreate(QueueName name, int keep) throws IOException {
    QueueContent.checkKeep(keep);
    if (!exists(name)) {
      create(name, keep);
    }
    SnapshotQueue queue = open(name);
    try {
      queue.asking(keep);
      return queue;
    } catch (IOException | RuntimeException e) {
      queue.close();
      throw e;
    }
  }

  /**
   * Makes a queue's file anew from the manifests that name the queue, oldest first, none of them
   * pinned or chosen and none left out; it encrypts if one of them is encrypted. The old file is
   * kept beside it as {@code queue.json.damaged-TIME}. Manifests that are damaged themselves are
   * passed over.
   */
  public SnapshotQueue rebuild(QueueName name, SnapshotStore snapshots) throws IOException {
    QueueContent content = fromManifests(name, snapshots);
    records.makeDirectory(parent(file(name)));
    Disk.Lock lock = lock(name);
    try {
      byte[] bytes = QueueCodec.bytes(content);
      if (exists(name)) {
        replaceKeepingOld(name, bytes);
      } else {
        records.replace(file(name), bytes);
      }
      watcher.changed(name, null, content);
      return new SnapshotQueue(disk, file(name), lock, watcher, content);
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /**
   * Removes a queue for good, with no regard to its snapshots, whose ids it returns.
   *
   * @throws RegenException.NotFound if there is no such queue
   * @throws RegenException.Refused if a snapshot is pinned; what was chosen for the next run is no
   *     reason, for that run begins a new queue
   */
  public List<SnapshotId> remove(QueueName name) throws IOException {
    try (SnapshotQueue queue = open(name)) {
      for (Element element : queue.elements()) {
        if (element.pinned()) {
          throw new RegenException.Refused(
              "queue '"
                  + name
                  + "' holds snapshot "
                  + element.id().shortened()
                  + ", which is pinned; 'regen unpin' it first");
        }
      }
      watcher.changing(name, queue.content(), null);
      records.remove(file(name));
      watcher.changed(name, queue.content(), null);
      return queue.elements().stream().map(Element::id).toList();
    }
  }

  /**
   * Removes a queue that never held anything and of which nobody asked anything, if it is there.
   */
  public void removeUnused(QueueName name) throws IOException {
    if (!exists(name)) {
      return;
    }
    try (SnapshotQueue queue = open(name)) {
      QueueContent content = queue.content();
      if (content.equals(QueueContent.empty(name, content.asked()))) {
        records.remove(file(name));
        watcher.changed(name, content, null);
      }
    }
  }

  /**
   * Removes what unfinished writes left, and makes all queues last as they can be read now: a
   * process may have died after a rename and before the name was forced.
   */
  public void sweep() throws IOException {
    disk.forceDirectory(directory);
    for (QueueName name : list()) {
      try (Disk.Lock _ = lock(name)) {
        records.sweep(parent(file(name)));
        disk.forceDirectory(parent(file(name)));
      }
    }
  }

  /** Where a queue's file is, or would be. */
  public Path file(QueueName name) {
    return directory.resolve(name.value()).resolve(FILE);
  }

  static Path parent(Path file) {
    Path parent = file.getParent();
    if (parent == null) {
      throw new IllegalArgumentException(file + " has no directory above it");
    }
    return parent;
  }

  private void create(QueueName name, int keep) throws IOException {
    records.makeDirectory(parent(file(name)));
    try (Disk.Lock _ = lock(name)) {
      if (!exists(name)) {
        QueueContent empty = QueueContent.empty(name, keep);
        records.replace(file(name), QueueCodec.bytes(empty));
        watcher.changed(name, null, empty);
      }
    }
  }

  private QueueContent decode(QueueName name, JsonObject json) throws RegenException {
    try {
      return QueueCodec.decode(json);
    } catch (IOException | IllegalArgumentException | ArithmeticException e) {
      throw new RegenException.Damaged(file(name) + " is damaged: " + e.getMessage());
    }
  }

  /** Both files have a name at every moment: the queue never looks as if it had never been. */
  private void replaceKeepingOld(QueueName name, byte[] bytes) throws IOException {
    Path file = file(name);
    String time = clock.instant().truncatedTo(ChronoUnit.MILLIS).toString().replace(":", "");
    Path aside = file.resolveSibling(FILE + ".damaged-" + time);
    disk.create(aside, ByteBuffer.wrap(bytes));
    disk.force(aside);
    disk.forceDirectory(parent(file));
    disk.exchange(file, aside);
    disk.forceDirectory(parent(file));
  }

  private QueueContent fromManifests(QueueName name, SnapshotStore snapshots) throws IOException {
    List<Snapshot> found = new ArrayList<>();
    for (SnapshotId id : snapshots.list()) {
      try {
        Snapshot snapshot = snapshots.read(id);
        if (snapshot.queue().equals(name)) {
          found.add(snapshot);
        }
      } catch (RegenException.Damaged | RegenException.NotFound e) {
        // verify names it; the others are still worth having.
      }
    }
    found.sort(Comparator.comparing(Snapshot::time).thenComparing(s -> s.id().value()));
    // Whether it was to encrypt is not known any more: in doubt nothing is written in the plain.
    boolean encrypted = found.stream().anyMatch(snapshot -> snapshot.key() != null);
    QueueContent content = QueueContent.empty(name, lengthFor(found.size())).encrypting(encrypted);
    for (Snapshot snapshot : found) {
      content = content.appendedAsIs(new Element(snapshot.id(), snapshot.time(), snapshot.end()));
    }
    return content;
  }

  private static int lengthFor(int elements) {
    return Math.clamp(elements, 5, QueueContent.KEEP_MAX);
  }

  private Disk.Lock lock(QueueName name) throws IOException {
    Path file = file(name).resolveSibling("lock");
    long deadline = System.nanoTime() + WAIT.toNanos();
    while (true) {
      Optional<Disk.Lock> lock = disk.tryLock(file);
      if (lock.isPresent()) {
        return lock.get();
      }
      if (System.nanoTime() - deadline > 0) {
        throw new RegenException.Refused(
            "queue '" + name + "' is in use by another operation; try again");
      }
      pause(name);
    }
  }

  private static void pause(QueueName name) throws IOException {
    try {
      Thread.sleep(RETRY);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new java.io.InterruptedIOException("interrupted while waiting for queue " + name);
    }
  }

  private static RegenException damaged(QueueName name, String what) {
    return new RegenException.Damaged(
        what
            + ". The snapshots are not lost: 'regen verify "
            + name
            + " --repair' makes the queue anew from their manifests");
  }
}
