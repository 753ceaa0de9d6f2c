package dev.regen.snapshot.restore;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.oci.FrozenLayer.IdRange;
import dev.regen.runtime.oci.KnownContainers.Replacement;
import dev.regen.runtime.os.BootId;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.overlay.Staging;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.layer.LayerRestorer;
import dev.regen.snapshot.layer.PresentTree;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Layer trees that are ready to move in, {@code staging/hot-SNAPSHOT}: the tail's of each queue,
 * and one that a restore chose; one for each mapping of ids that was asked for. They can always be
 * built again from chunks.
 *
 * <p>A tree has this name only when it is whole: it is unpacked under another name first. Its bytes
 * are forced later, for nobody is to wait for that: if the host goes down before, all of them are
 * given up and built again.
 */
public final class HotTrees {
  /**
   * A tree that is ready to move in.
   *
   * @param usedAt when it was made or last asked for
   */
  public record HotTree(Path path, SnapshotId snapshot, Instant usedAt) {}

  /** Longer than a start waits for anything, and so for the tree that it was given. */
  public static final Duration IN_USE = Duration.ofMinutes(3);

  private static final Logger LOG = LoggerFactory.getLogger(HotTrees.class);

  private final Disk disk;
  private final LayerRestorer restorer;
  private final SnapshotStore snapshots;
  private final Unpacked unpacked;
  private final Unforced unforced;
  private final InstantSource clock = InstantSource.system();

  /** When trees were named that have not been given to anybody since. */
  private final Map<Path, Instant> idle = new HashMap<>();

  /** When trees were given to somebody, the last time. */
  private final Map<Path, Instant> given = new HashMap<>();

  private long named;

  /** Hears of trees that were unpacked. */
  @FunctionalInterface
  public interface Unpacked {
    /** Nobody is interested. */
    Unpacked UNHEARD = (_, _, _, _, _) -> {};

    /**
     * {@code tree} is whole, and has not been given to anybody yet; who waits for it waits here.
     */
    void of(
        Path tree, Snapshot snapshot, Archive archive, List<IdRange> uidMap, List<IdRange> gidMap);
  }

  public HotTrees(Disk disk, LayerRestorer restorer, SnapshotStore snapshots, Unpacked unpacked)
      throws IOException {
    this(disk, restorer, snapshots, unpacked, BootId.read());
  }

  /** As above, in another boot of the host. */
  HotTrees(
      Disk disk, LayerRestorer restorer, SnapshotStore snapshots, Unpacked unpacked, String boot) {
    this.disk = disk;
    this.restorer = restorer;
    this.snapshots = snapshots;
    this.unpacked = unpacked;
    this.unforced = new Unforced(disk, boot);
  }

  /**
   * The tree of {@code snapshot} in {@code staging}, unpacked if it is not there, for somebody who
   * is to move it in.
   *
   * @throws RegenException.Damaged if chunks are missing or wrong; nothing is left
   */
  public Path prepare(
      Snapshot snapshot,
      Staging staging,
      List<IdRange> uidMap,
      List<IdRange> gidMap,
      Progress progress)
      throws IOException {
    Path hot = ready(snapshot, staging, uidMap, gidMap, progress);
    if (!use(hot)) {
      // It was taken away this moment, for the tree of a newer one.
      use(ready(snapshot, staging, uidMap, gidMap, progress));
    }
    return hot;
  }

  /** As {@link #prepare}, for a start to come. */
  Path ready(
      Snapshot snapshot,
      Staging staging,
      List<IdRange> uidMap,
      List<IdRange> gidMap,
      Progress progress)
      throws IOException {
    Path hot = hot(staging, snapshot.id(), uidMap, gidMap);
    if (isThere(hot)) {
      return hot;
    }
    Path building = staging.building();
    try {
      unpacked(
          snapshot,
          archive -> {
            restorer.restore(archive, building, uidMap, gidMap, progress);
            unpacked.of(building, snapshot, archive, uidMap, gidMap);
            return building;
          });
      name(building, hot);
    } catch (IOException | RuntimeException e) {
      TreeRemoval.remove(building);
      if (e instanceof RuntimeException || Fd.statIfThere(hot) == null) {
        throw e;
      }
      // Somebody else unpacked the same snapshot at the same time, and was first.
    }
    return hot;
  }

  /** Makes a whole tree of a snapshot in a queue, with the host's own ids, a hot one. */
  void take(Path building, Snapshot snapshot) throws IOException {
    Path hot = hot(Staging.around(building), snapshot.id(), List.of(), List.of());
    if (!isThere(hot)) {
      unpacked.of(building, snapshot, snapshot.archive(), List.of(), List.of());
      name(building, hot);
    }
  }

  /** Removes what was made of a tree, if it is there. */
  void remove(Path building) {
    try {
      if (Fd.statIfThere(building) != null) {
        TreeRemoval.remove(building);
      }
    } catch (IOException e) {
      LOG.warn("{} stays until the next start: {}", building, e.getMessage());
    }
  }

  /** Unpacks an archive somewhere. */
  private interface Unpacking<T> {
    T unpack(Archive archive) throws IOException;
  }

  /**
   * While its chunks were read a snapshot may have been encrypted or decrypted, and they collected.
   */
  private <T> T unpacked(Snapshot snapshot, Unpacking<T> unpacking) throws IOException {
    try {
      return unpacking.unpack(snapshot.archive());
    } catch (RegenException.Damaged e) {
      Snapshot now = snapshots.read(snapshot.id());
      if (now.archive().equals(snapshot.archive())) {
        throw e;
      }
      return unpacking.unpack(now.archive());
    }
  }

  /**
   * A tree of {@code snapshot} in {@code staging} that is to take the place of {@code present}: the
   * hot tree if it is there, else a new one that shares with {@code present} what is the same. That
   * one is nothing but an upper to be; the sweep removes it if it does not become one. Directories
   * that are the same as a whole are left to be moved, see {@link LayerRestorer#restoreOver}.
   *
   * @throws RegenException.Damaged if chunks are missing or wrong; nothing is left
   */
  public Replacement over(
      PresentTree present,
      Snapshot snapshot,
      Staging staging,
      List<IdRange> uidMap,
      List<IdRange> gidMap,
      Progress progress)
      throws IOException {
    Path hot = hot(staging, snapshot.id(), uidMap, gidMap);
    if (use(hot)) {
      return new Replacement(hot, List.of());
    }
    Path building = staging.building();
    List<byte[]> directories =
        unpacked(
            snapshot,
            archive -> {
              try {
                return restorer.restoreOver(present, archive, building, uidMap, gidMap, progress);
              } catch (RegenException.Refused e) {
                LOG.info("the layer is written anew: {}", e.getMessage());
                restorer.restore(archive, building, uidMap, gidMap, progress);
                return List.of();
              }
            });
    return new Replacement(building, directories);
  }

  /**
   * Takes a tree that was archived as {@code snapshot}, so that the next run need not unpack it.
   *
   * @param uidMap the mappings of the container that wrote it
   */
  public void adopt(Path tree, SnapshotId snapshot, List<IdRange> uidMap, List<IdRange> gidMap)
      throws IOException {
    Staging staging = Staging.around(tree);
    Path trash = nameInstead(tree, hot(staging, snapshot, uidMap, gidMap), staging.trash());
    if (trash != null) {
      TreeRemoval.remove(trash);
    }
  }

  /** Returns where the tree lies now that had the name; null if none had. */
  private synchronized @Nullable Path nameInstead(Path tree, Path hot, Path trash)
      throws IOException {
    boolean there = isThere(hot);
    if (there) {
      disk.rename(hot, trash);
    }
    name(tree, hot);
    return there ? trash : null;
  }

  /** The hot trees in {@code staging}; one that goes while they are looked at may be missing. */
  public List<HotTree> list(Staging staging) throws IOException {
    giveUpThoseOfAnEarlierBoot(staging);
    List<HotTree> trees = new ArrayList<>();
    for (Path tree : staging.trees()) {
      String name = String.valueOf(tree.getFileName());
      Stat stat = name.startsWith(Staging.HOT) ? Fd.statIfThere(tree) : null;
      if (stat != null && SnapshotId.isValid(Staging.snapshotOf(name))) {
        trees.add(new HotTree(tree, new SnapshotId(Staging.snapshotOf(name)), usedAt(stat)));
      }
    }
    return trees;
  }

  /**
   * Gives a tree its name; from then on it is one that was not forced. Where a full disk has no
   * room to note that, it is forced at once.
   */
  private synchronized void name(Path tree, Path hot) throws IOException {
    try {
      unforced.note(Staging.around(hot));
    } catch (IOException e) {
      LOG.info("{} is forced to the disk at once: {}", tree, e.getMessage());
      disk.forceFileSystem(tree);
    }
    named++;
    disk.rename(tree, hot);
    Stat stat = Fd.statIfThere(hot);
    if (stat != null) {
      idle.put(hot, usedAt(stat));
    }
  }

  /**
   * Forces the trees in a staging directory to the disk, so that they are still there after the
   * host went down. Waits for all that was written to their file system.
   */
  public void force(Staging staging) throws IOException {
    if (!unforced.isOfThisBoot(staging)) {
      return;
    }
    long before = namedUntilNow();
    disk.forceFileSystem(staging.directory());
    forgetUnlessNamedSince(before, staging);
  }

  private synchronized long namedUntilNow() {
    return named;
  }

  private synchronized void forgetUnlessNamedSince(long before, Staging staging)
      throws IOException {
    if (named == before) {
      unforced.forget(staging);
    }
  }

  private synchronized void giveUpThoseOfAnEarlierBoot(Staging staging) throws IOException {
    if (!unforced.isOfAnEarlierBoot(staging)) {
      return;
    }
    for (Path tree : staging.trees()) {
      if (String.valueOf(tree.getFileName()).startsWith(Staging.HOT)) {
        try {
          discard(tree);
        } catch (NoSuchFileException e) {
          LOG.debug("{} was given up by another process", tree);
        }
      }
    }
    unforced.forget(staging);
    LOG.info("the trees in {} are built again: the host went down", staging.directory());
  }

  /**
   * Whether this process has given a tree to somebody who may be about to move it in, if that is
   * not long ago.
   */
  public synchronized boolean isGiven(HotTree tree) {
    return tree.usedAt().equals(given.get(tree.path()));
  }

  /** As above; and what this process does not know of may be another's. */
  private boolean isInUse(HotTree tree) {
    return !tree.usedAt().equals(idle.get(tree.path()))
        && !tree.usedAt().plus(IN_USE).isBefore(clock.instant());
  }

  /**
   * Gives up a hot tree, unless it was used since it was listed.
   *
   * @return where it lies now, to be removed; null if it stays
   */
  public synchronized @Nullable Path drop(HotTree tree) throws IOException {
    return away(tree, Staging.around(tree.path()).trash());
  }

  /** Whether there is a tree of a snapshot, with the host's own ids. */
  boolean holds(Staging staging, SnapshotId snapshot) throws IOException {
    return isThere(hot(staging, snapshot, List.of(), List.of()));
  }

  /**
   * The tree of a snapshot, with the host's own ids, that nobody may be about to move in: it was
   * given to nobody since this process made it, or long ago. Null if there is none.
   */
  synchronized @Nullable HotTree idle(Staging staging, SnapshotId snapshot) throws IOException {
    Path hot = hot(staging, snapshot, List.of(), List.of());
    Stat stat = isThere(hot) ? Fd.statIfThere(hot) : null;
    if (stat == null) {
      return null;
    }
    HotTree tree = new HotTree(hot, snapshot, usedAt(stat));
    return isInUse(tree) ? null : tree;
  }

  /**
   * Takes a tree for something else, unless it was used since it was looked at. Where it was forced
   * to the disk, it counts as one that was not from now on: if the host goes down, its name may be
   * there again, and not all that was in it.
   *
   * @return where it lies now, a name that the sweep removes; null if it stays
   */
  synchronized @Nullable Path takeAway(HotTree tree) throws IOException {
    Staging staging = Staging.around(tree.path());
    // Asked again: a tick of the file system's clock is longer than a look at a small tree.
    if (isInUse(tree)) {
      return null;
    }
    giveUpThoseOfAnEarlierBoot(staging);
    unforced.note(staging);
    named++;
    return away(tree, staging.building());
  }

  private @Nullable Path away(HotTree tree, Path to) throws IOException {
    Stat stat = Fd.statIfThere(tree.path());
    if (stat == null || !usedAt(stat).equals(tree.usedAt())) {
      return null;
    }
    idle.remove(tree.path());
    given.remove(tree.path());
    disk.rename(tree.path(), to);
    return to;
  }

  private synchronized boolean isThere(Path hot) throws IOException {
    giveUpThoseOfAnEarlierBoot(Staging.around(hot));
    return Fd.statIfThere(hot) != null;
  }

  /**
   * Whether the tree is there; then its time of use is now, kept as the change time of its root,
   * which says nothing of its content. Another process may be the one that drops it.
   */
  private synchronized boolean use(Path hot) throws IOException {
    idle.remove(hot);
    giveUpThoseOfAnEarlierBoot(Staging.around(hot));
    Stat stat = Fd.statIfThere(hot);
    if (stat == null) {
      return false;
    }
    Path parent = Objects.requireNonNull(hot.getParent(), "staging");
    try (Fd directory = Fd.directory(parent)) {
      byte[] name = Fd.bytes(String.valueOf(hot.getFileName()));
      directory.chmodAt(name, stat.permissions());
      Instant longAgo = clock.instant().minus(IN_USE);
      given.values().removeIf(time -> time.isBefore(longAgo));
      given.put(hot, usedAt(directory.statAt(name)));
    }
    return true;
  }

  /**
   * Removes a tree in a staging directory; nothing has its name once this has returned.
   *
   * @return ends when all of it is gone
   */
  public Thread discard(Path tree) throws IOException {
    Path trash = Staging.around(tree).trash();
    disk.rename(tree, trash);
    return Thread.ofPlatform()
        .name("trash")
        .daemon()
        .start(() -> {
          try {
            TreeRemoval.remove(trash);
          } catch (IOException e) {
            LOG.warn("{} stays until the next start: {}", trash, e.getMessage());
          }
        });
  }

  /** A tree on the disk has the host's ids; so containers of other mappings have others. */
  private static Path hot(
      Staging staging, SnapshotId snapshot, List<IdRange> uidMap, List<IdRange> gidMap) {
    if (uidMap.isEmpty() && gidMap.isEmpty()) {
      return staging.hot(snapshot.value());
    }
    byte[] maps = (uidMap + "/" + gidMap).getBytes(StandardCharsets.UTF_8);
    return staging.hot(snapshot.value(), UUID.nameUUIDFromBytes(maps).toString());
  }

  private static Instant usedAt(Stat root) {
    return Instant.ofEpochSecond(root.ctime().seconds(), root.ctime().nanos());
  }
}
