package dev.regen.snapshot.queue;

import dev.regen.runtime.QueueName;
import dev.regen.snapshot.End;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.SnapshotId;
import java.time.Instant;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a queue holds at one moment, and its rules: each change gives a new value and leaves this
 * one as it is. {@link SnapshotQueue} makes changes last.
 *
 * <p>Over its length, a queue gives up the oldest element that may go. These may not: a pinned one,
 * the chosen one, the newest good one, and the tail. So a queue can hold up to two more than its
 * length, besides the pinned ones.
 *
 * @param keep the length: how many elements may stand here, pinned ones not counted
 * @param asked the length that the container's label last asked for
 * @param elements oldest first
 * @param chosen what the next run starts from, null for the tail
 * @param jobs the last captures, oldest first
 * @param encrypted whether captures from now on are to be encrypted
 */
public record QueueContent(
    QueueName name,
    int keep,
    int asked,
    List<Element> elements,
    @Nullable SnapshotId chosen,
    List<JobDone> jobs,
    boolean encrypted) {
  public static final int KEEP_MAX = 1000;
  public static final int PINNED_MAX = 1000;
  public static final int JOBS_MAX = 64;
  public static final int ELEMENTS_MAX = KEEP_MAX + PINNED_MAX + 2;

  public QueueContent {
    elements = List.copyOf(elements);
    jobs = List.copyOf(jobs);
    checkKeep(keep);
    checkKeep(asked);
    check(elements.size() <= ELEMENTS_MAX, "more than " + ELEMENTS_MAX + " elements");
    check(jobs.size() <= JOBS_MAX, "more than " + JOBS_MAX + " jobs");
    check(new HashSet<>(ids(elements)).size() == elements.size(), "an element stands twice");
    for (int i = 1; i < elements.size(); i++) {
      check(
          elements.get(i - 1).time().isBefore(elements.get(i).time()), "elements are out of order");
    }
    check(chosen == null || ids(elements).contains(chosen), "the chosen element is not there");
  }

  static QueueContent empty(QueueName name, int keep) {
    return new QueueContent(name, keep, keep, List.of(), null, List.of(), false);
  }

  /** The newest element. */
  public Optional<Element> tail() {
    return elements.isEmpty() ? Optional.empty() : Optional.of(elements.getLast());
  }

  /** The newest element whose run ended well. */
  public Optional<Element> newestGood() {
    return elements.reversed().stream().filter(QueueContent::isGood).findFirst();
  }

  public Optional<Element> element(SnapshotId id) {
    return elements.stream().filter(element -> element.id().equals(id)).findFirst();
  }

  /** What a job did here, if it is one of the last {@link #JOBS_MAX}. */
  public Optional<JobDone> done(String job) {
    return jobs.reversed().stream().filter(done -> done.job().equals(job)).findFirst();
  }

  /**
   * The element that an address names. Tried in this order:
   *
   * <ol>
   *   <li>{@code latest}: the tail;
   *   <li>{@code -1}, {@code -2} …: so many before the tail;
   *   <li>with a {@code -} after four digits, a time: the newest element not after it. A full time
   *       of RFC 3339 (with an offset or {@code Z}) is that moment; a shortened one ({@code
   *       2026-11-22}, {@code 2026-11-22T09}, {@code …T09:00}, {@code …T09:00:05}) is of {@code
   *       zone} and reaches to the end of the day, hour, minute or second it names;
   *   <li>4 to 32 hexadecimal digits: the beginning of a snapshot's id.
   * </ol>
   *
   * @throws RegenException.NotFound if there is no such element; names the oldest there is
   * @throws RegenException.Misuse if the address has no such form
   * @throws RegenException.BadInput if several ids begin so
   */
  public Element find(String address, ZoneId zone) throws RegenException {
    return new Address(this, zone).find(address);
  }

  /**
   * Looks whether a text has the form of an address, as {@link #find} takes them.
   *
   * @throws RegenException.Misuse if not
   */
  public static void checkAddress(String address) throws RegenException {
    Address.check(address);
  }

  /** The time an element is given that ended at {@code time}: always after the tail's. */
  Instant timeAfterTail(Instant time) {
    Instant rounded = time.truncatedTo(ChronoUnit.MILLIS);
    return tail()
        .map(tail -> tail.time().plusMillis(1))
        .filter(earliest -> earliest.isAfter(rounded))
        .orElse(rounded);
  }

  QueueContent appended(Element element, @Nullable String job) {
    check(element(element.id()).isEmpty(), "snapshot " + element.id() + " stands here already");
    Element last = element.at(timeAfterTail(element.time()));
    List<Element> next = new ArrayList<>(elements);
    if (tail().isPresent() && sharesPlace(elements.getLast(), element)) {
      next.removeLast();
    }
    next.add(last);
    evict(next, keep, chosen);
    List<JobDone> done = job == null ? jobs : remembered(new JobDone(job, last.id(), true));
    return new QueueContent(name, keep, asked, next, chosen, done, encrypted);
  }

  /** Appends without the rules: nothing shares a place, nothing leaves. */
  QueueContent appendedAsIs(Element element) {
    List<Element> next = new ArrayList<>(elements);
    next.add(element.at(timeAfterTail(element.time())));
    return new QueueContent(name, keep, asked, next, chosen, jobs, encrypted);
  }

  /** The tail as it is after a run that changed nothing and ended at {@code time}. */
  Element movedTail(Instant time, End end) {
    Element tail = elements.getLast();
    Instant rounded = time.truncatedTo(ChronoUnit.MILLIS);
    Instant moved = rounded.isAfter(tail.time()) ? rounded : tail.time();
    return tail.at(moved).with(endAfter(tail.end(), end));
  }

  QueueContent tailMoved(Instant time, End end, @Nullable String job) {
    List<Element> next = new ArrayList<>(elements);
    Element tail = next.set(next.size() - 1, movedTail(time, end));
    List<JobDone> done = job == null ? jobs : remembered(new JobDone(job, tail.id(), false));
    return new QueueContent(name, keep, asked, next, chosen, done, encrypted);
  }

  QueueContent kept(int newKeep) {
    List<Element> next = new ArrayList<>(elements);
    evict(next, newKeep, chosen);
    return new QueueContent(name, newKeep, asked, next, chosen, jobs, encrypted);
  }

  /** The label asks for a length; what is too many leaves with the next append. */
  QueueContent asking(int newKeep) {
    return newKeep == asked
        ? this
        : new QueueContent(name, newKeep, newKeep, elements, chosen, jobs, encrypted);
  }

  QueueContent pinned(SnapshotId id, boolean pinned) throws RegenException {
    Element element = required(id);
    long others = elements.stream().filter(Element::pinned).count();
    if (pinned && !element.pinned() && others >= PINNED_MAX) {
      throw new RegenException.Refused(
          "queue " + name + " has " + others + " pinned snapshots, and may not have more");
    }
    List<Element> next = new ArrayList<>(elements);
    next.set(next.indexOf(element), element.pinned(pinned));
    return new QueueContent(name, keep, asked, next, chosen, jobs, encrypted);
  }

  QueueContent without(SnapshotId id) throws RegenException {
    Element element = required(id);
    if (element.pinned()) {
      throw new RegenException.Refused(
          "snapshot " + id.shortened() + " is pinned: 'regen unpin' it first");
    }
    if (id.equals(chosen)) {
      throw new RegenException.Refused(
          "snapshot "
              + id.shortened()
              + " is chosen for the next run: 'regen restore "
              + name
              + " --at latest' takes that back");
    }
    List<Element> next = new ArrayList<>(elements);
    next.remove(element);
    return new QueueContent(name, keep, asked, next, chosen, jobs, encrypted);
  }

  QueueContent choosing(@Nullable SnapshotId id) throws RegenException {
    if (id != null) {
      required(id);
    }
    return new QueueContent(name, keep, asked, elements, id, jobs, encrypted);
  }

  QueueContent encrypting(boolean fromNowOn) {
    return new QueueContent(name, keep, asked, elements, chosen, jobs, fromNowOn);
  }

  /** The ids that stand here and not in {@code next}, oldest first. */
  public List<SnapshotId> leftIn(QueueContent next) {
    Set<SnapshotId> staying = new HashSet<>(ids(next.elements));
    return ids(elements).stream().filter(id -> !staying.contains(id)).toList();
  }

  /**
   * Looks whether a queue may have this length.
   *
   * @throws IllegalArgumentException if not
   */
  public static void checkKeep(int keep) {
    check(keep >= 1 && keep <= KEEP_MAX, "a queue's length is 1 to " + KEEP_MAX + ", not " + keep);
  }

  /** Consecutive failed ends share one element. */
  private boolean sharesPlace(Element tail, Element next) {
    return tail.end().good() == End.Good.NO
        && next.end().good() == End.Good.NO
        && !tail.pinned()
        && !tail.id().equals(chosen);
  }

  /**
   * The same state ended again: it is good if one of its runs ended well, and what was once read
   * while nobody wrote is consistent.
   */
  private static End endAfter(End before, End now) {
    if (before.inconsistent() != now.inconsistent()) {
      return before.inconsistent() ? now : before;
    }
    boolean loses = before.good() == End.Good.YES && now.good() != End.Good.YES;
    boolean saysLess = before.good() == End.Good.NO && now.good() == End.Good.UNKNOWN;
    return loses || saysLess ? before : now;
  }

  private static void evict(List<Element> elements, int keep, @Nullable SnapshotId chosen) {
    long counted = elements.stream().filter(element -> !element.pinned()).count();
    for (int i = 0; counted > keep && i < elements.size() - 1; ) {
      Element element = elements.get(i);
      boolean stays = element.pinned() || element.id().equals(chosen) || isNewestGood(elements, i);
      if (stays) {
        i++;
      } else {
        elements.remove(i);
        counted--;
      }
    }
  }

  private static boolean isNewestGood(List<Element> elements, int at) {
    return isGood(elements.get(at))
        && elements.subList(at + 1, elements.size()).stream().noneMatch(QueueContent::isGood);
  }

  private static boolean isGood(Element element) {
    return element.end().good() == End.Good.YES;
  }

  private Element required(SnapshotId id) throws RegenException {
    return element(id)
        .orElseThrow(() -> new RegenException.NotFound("queue " + name + " has no snapshot " + id));
  }

  private List<JobDone> remembered(JobDone job) {
    return Stream.concat(
            jobs.stream().skip(Math.max(0, jobs.size() - JOBS_MAX + 1)), Stream.of(job))
        .toList();
  }

  private static List<SnapshotId> ids(List<Element> elements) {
    return elements.stream().map(Element::id).toList();
  }

  private static void check(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalArgumentException(otherwise);
    }
  }
}
