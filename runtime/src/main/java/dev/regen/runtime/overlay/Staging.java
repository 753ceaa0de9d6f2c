package dev.regen.runtime.overlay;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where layer trees of one layer store wait, in the same mount as the store, so that a rename moves
 * them.
 *
 * <p>A tree's name says what it is: {@code frozen-} trees may be the only copy of somebody's work
 * and are never deleted before they are archived, and so may {@code listed-} ones, which hold what
 * no snapshot has; {@code hot-} trees can be rebuilt from a snapshot; {@code placing-} trees belong
 * to a container that is being started; {@code aside-} trees are roots and their bases that a run
 * record's freeze has yet to compare; {@code ended-} trees are uppers that the front put away and
 * the freeze has yet to name; {@code building-}, {@code linking-} and {@code trash-} are garbage
 * after a crash.
 *
 * @param directory mode 0700
 */
public record Staging(Path directory) {
  public static final String NAME = "regen-staging";
  public static final String FROZEN = "frozen-";
  public static final String LISTED = "listed-";
  public static final String HOT = "hot-";
  public static final String PLACING = "placing-";
  public static final String BUILDING = "building-";
  public static final String LINKING = "linking-";
  public static final String TRASH = "trash-";
  public static final String ASIDE = "aside-";
  public static final String ENDED = "ended-";

  private static final String BASE = ".base";
  private static final String IDS = ".ids-";

  /** What both engines call overlay's work directory, which lies beside an upper. */
  private static final String WORK = "work";

  private static final int LEVELS_UP = 3;
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss.SSS'Z'").withZone(ZoneOffset.UTC);
  private static final Pattern FROZEN_NAME =
      Pattern.compile("frozen-(.+)-(\\d{8}T\\d{6}\\.\\d{3}Z)-([a-zA-Z0-9_.+]{1,12})");

  /** What a frozen tree's name tells. */
  public record FrozenName(QueueName queue, Instant time, String container) {}

  /**
   * The staging directory for trees that are to change places with {@code upper}; makes it.
   *
   * <p>It lies three levels above the upper, which is the engine's data root with Docker's overlay2
   * and the snapshotter's root with containerd; lower where a mount of its own begins in between. A
   * layer's own directory is none, since the engine removes it: where that is a mount, staging lies
   * three levels above all the same, and trees have to be copied.
   *
   * @throws IOException if there is no directory for it above the upper
   */
  public static Staging of(Path upper) throws IOException {
    long mount = mountOf(upper);
    Path found = null;
    Path highest = null;
    boolean inLayer = Fd.statIfThere(upper.resolveSibling(WORK)) != null;
    Path above = upper.getParent();
    for (int level = 1; level <= LEVELS_UP && above != null; level++) {
      if (mountOf(above) == mount && !(inLayer && level == 1)) {
        found = above;
      }
      highest = above;
      above = above.getParent();
    }
    if (found == null && inLayer) {
      found = highest;
    }
    if (found == null) {
      throw new IOException(upper + " is a mount of its own; nothing can be renamed to it");
    }
    Staging staging = new Staging(found.resolve(NAME));
    new LocalDisk().makeDirectories(staging.directory());
    return staging;
  }

  /**
   * Whether the store of {@code upper} is mounted where the calling thread looks: what is missing
   * there then is gone.
   */
  public static boolean isSeen(Path upper) throws IOException {
    Path above = upper.getParent();
    for (int level = 1; level <= LEVELS_UP && above != null; level++) {
      if (Fd.statIfThere(above.resolve(NAME)) != null) {
        return true;
      }
      above = above.getParent();
    }
    return false;
  }

  /** The staging directory that holds {@code tree}. */
  public static Staging around(Path tree) {
    Path parent = tree.getParent();
    if (parent == null) {
      throw new IllegalArgumentException(tree + " lies in no staging directory");
    }
    return new Staging(parent);
  }

  /**
   * Whether trees can be renamed to the upper's place: a directory goes there and back. They cannot
   * where the layer is a mount of its own, or has a project quota.
   */
  public static boolean reaches(Path upper) throws IOException {
    Path here = of(upper).directory().resolve(TRASH + "probe-" + System.nanoTime());
    Path there = upper.resolveSibling(".regen-probe-" + System.nanoTime());
    LocalDisk disk = new LocalDisk();
    disk.makeDirectories(here);
    try {
      disk.rename(here, there);
      disk.rename(there, here);
      return true;
    } catch (AtomicMoveNotSupportedException e) {
      return false;
    } finally {
      disk.delete(there);
      disk.delete(here);
    }
  }

  public Path frozen(QueueName queue, Instant time, ContainerId container) {
    return directory.resolve(FROZEN + jobName(queue, time, container));
  }

  /** The tree of a job whose layer is frozen in part. */
  public Path listed(String job) {
    return directory.resolve(LISTED + job);
  }

  /** Names a job after its queue, the run's end and the container. */
  public static String jobName(QueueName queue, Instant time, ContainerId container) {
    String tail = container.shortened().replaceAll("[^a-zA-Z0-9_.+]", "_");
    return queue + "-" + TIME.format(time) + "-" + tail;
  }

  /** What the name of a frozen tree tells; null if it is no such name. */
  public static @Nullable FrozenName parseFrozen(String name) {
    Matcher matcher = FROZEN_NAME.matcher(name);
    if (!matcher.matches() || !QueueName.isValid(matcher.group(1))) {
      return null;
    }
    try {
      Instant time = TIME.parse(matcher.group(2), Instant::from);
      return new FrozenName(new QueueName(matcher.group(1)), time, matcher.group(3));
    } catch (DateTimeParseException e) {
      return null;
    }
  }

  /** The tree of a snapshot with the ids of users and groups as the snapshot has them. */
  public Path hot(String snapshotId) {
    return directory.resolve(HOT + snapshotId);
  }

  /**
   * The tree of a snapshot with other ids.
   *
   * @param ids names what they are mapped by; letters and digits
   */
  public Path hot(String snapshotId, String ids) {
    return directory.resolve(HOT + snapshotId + IDS + ids);
  }

  /** The snapshot of a hot tree; what it returns may be no id. */
  public static String snapshotOf(String hotName) {
    int ids = hotName.indexOf(IDS);
    return hotName.substring(HOT.length(), ids < 0 ? hotName.length() : ids);
  }

  public Path placing(ContainerId container) {
    return directory.resolve(PLACING + container);
  }

  /** Where the front puts the upper of a container at whose end it finds no agent. */
  public Path ended(ContainerId container) {
    return directory.resolve(ENDED + container);
  }

  /** Where a root waits that the engine would remove before it was compared. */
  public Path aside(String job) {
    return directory.resolve(ASIDE + job);
  }

  /** Where the layer below such a root waits. */
  public Path asideBase(String job) {
    return directory.resolve(ASIDE + job + BASE);
  }

  /** A new name for a tree that is being unpacked. */
  public Path building() {
    return directory.resolve(BUILDING + java.util.UUID.randomUUID());
  }

  /** A new name for a tree that nobody wants any more. */
  public Path trash() {
    return directory.resolve(TRASH + java.util.UUID.randomUUID());
  }

  /** Everything that waits here. */
  public List<Path> trees() throws IOException {
    return new LocalDisk().list(directory);
  }

  private static long mountOf(Path path) throws IOException {
    Stat stat = Fd.stat(path);
    return stat.mountId() != 0 ? stat.mountId() : stat.device();
  }
}
