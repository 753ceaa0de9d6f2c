package dev.regen.snapshot.queue;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.snapshot.End;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.SnapshotId;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A fixed-length queue of snapshots, open for changes: nobody else changes it until it is closed.
 * Head = oldest, tail = newest: the state to come back to.
 *
 * <p>What a method changed survives a power cut once it has returned. A crash or an exception
 * before that leaves the queue as it was or as it was to be, readable either way. Which elements
 * leave, and which never do, {@link QueueContent} says.
 *
 * <p>Elements stand in the order they were appended. If the clock was put back, an element's time
 * is one millisecond after that of the element before, so that order and times never contradict
 * each other. Not safe for use by several threads at once.
 */
public final class SnapshotQueue implements AutoCloseable {
  private final Disk disk;
  private final Path file;
  private final Disk.Lock lock;
  private final QueueWatcher watcher;
  private QueueContent content;

  SnapshotQueue(Disk disk, Path file, Disk.Lock lock, QueueWatcher watcher, QueueContent content) {
    this.disk = disk;
    this.file = file;
    this.lock = lock;
    this.watcher = watcher;
    this.content = content;
  }

  public QueueName name() {
    return content.name();
  }

  /** How many elements may stand here, pinned ones not counted. */
  public int keep() {
    return content.keep();
  }

  /** Oldest first. */
  public List<Element> elements() {
    return content.elements();
  }

  /** What the next run starts from, null for the tail. */
  public @Nullable SnapshotId chosen() {
    return content.chosen();
  }

  public Optional<Element> tail() {
    return content.tail();
  }

  /** All of it, as it is now. */
  public QueueContent content() {
    return content;
  }

  /** What a job did here, if it is one of the last. */
  public Optional<JobDone> done(String job) {
    return content.done(job);
  }

  /** As {@link QueueContent#find}, in the zone of this host. */
  public Element find(String address) throws RegenException {
    return content.find(address, ZoneId.systemDefault());
  }

  /** The time that {@link #append} would give an element that ended at {@code time}. */
  public Instant timeAfterTail(Instant time) {
    return content.timeAfterTail(time);
  }

  /** The tail as {@link #touchTail} would leave it. */
  public Element movedTail(Instant time, End end) {
    return content.movedTail(time, end);
  }

  /** Appends an element that no job of the spool asked for. */
  public Appended append(Element element) throws IOException {
    return append(element, null);
  }

  /**
   * Appends {@code element}; a failed one takes the place of a failed tail; over its length the
   * queue gives up its oldest that may go.
   *
   * @param job the spool job that this completes, to be found by {@link #done}
   * @throws IllegalArgumentException if that snapshot stands here already
   */
  public Appended append(Element element, @Nullable String job) throws IOException {
    List<SnapshotId> left = change(content.appended(element, job));
    return new Appended(content.elements().getLast(), left);
  }

  /**
   * A run ended that changed nothing: the tail's time moves to its end. A tail that is good stays
   * so, however that run ended.
   *
   * @throws java.util.NoSuchElementException if the queue is empty
   */
  public Element touchTail(Instant time, End end, @Nullable String job) throws IOException {
    change(content.tailMoved(time, end, job));
    return content.elements().getLast();
  }

  /**
   * Sets the length.
   *
   * @return what left the queue because of that, oldest first
   * @throws IllegalArgumentException unless {@code length} is 1 to {@link QueueContent#KEEP_MAX}
   */
  public List<SnapshotId> keep(int length) throws IOException {
    QueueContent.checkKeep(length);
    return change(content.kept(length));
  }

  /** Keeps a snapshot until it is unpinned. */
  public void pin(SnapshotId id) throws IOException {
    change(content.pinned(id, true));
  }

  /** Lets a snapshot leave when its turn comes, with the next append at the earliest. */
  public void unpin(SnapshotId id) throws IOException {
    change(content.pinned(id, false));
  }

  /**
   * Takes one snapshot out, good or not.
   *
   * @throws RegenException.Refused if it is pinned, or chosen for the next run
   */
  public void remove(SnapshotId id) throws IOException {
    change(content.without(id));
  }

  /** Says what the next run starts from; null for the tail. It never leaves while it is chosen. */
  public void choose(@Nullable SnapshotId id) throws IOException {
    change(content.choosing(id));
  }

  /** Says whether captures from now on are to be encrypted; those before stay as they are. */
  public void encrypt(boolean fromNowOn) throws IOException {
    change(content.encrypting(fromNowOn));
  }

  void asking(int keep) throws IOException {
    change(content.asking(keep));
  }

  /**
   * Makes what was read last: another process may have died after it had renamed the queue's file
   * and before it had forced the name.
   */
  public void settle() throws IOException {
    disk.forceDirectory(SnapshotQueues.parent(file));
  }

  @Override
  public void close() {
    lock.close();
  }

  private List<SnapshotId> change(QueueContent next) throws IOException {
    List<SnapshotId> left = content.leftIn(next);
    if (!next.equals(content)) {
      QueueContent before = content;
      watcher.changing(before.name(), before, next);
      new Records(disk).replace(file, QueueCodec.bytes(next));
      content = next;
      watcher.changed(before.name(), before, next);
    }
    return left;
  }
}
