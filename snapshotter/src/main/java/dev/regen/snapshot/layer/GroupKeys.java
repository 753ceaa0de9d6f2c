package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.facts.GroupKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Sums up what {@code lstat(2)} tells of a group: two groups of one key hold the same bytes.
 *
 * <p>A file that was written when the walk began could be written again with the same times, and
 * one from the future will be: their groups have no key. A rename moves the times and the inode of
 * the tree's root, so its attributes are taken for it.
 */
final class GroupKeys {
  /** Longer than the kernel's tick, which is the step in which times of files move. */
  private static final long TICK_NANOS = 20_000_000;

  private static final int NUMBERS_BYTES = 96;

  private final byte[] request;
  private final Instant before;
  private final MessageDigest sha256 = Digest.sha256();
  private ByteBuffer buffer = ByteBuffer.allocate(64 << 10);

  /**
   * @param begun when nothing of the tree had been looked at yet
   */
  GroupKeys(ArchiveRequest request, Instant begun) {
    String ids = request.uidMap() + "/" + request.gidMap();
    String bytes = Arrays.toString(EntryIndex.MAGIC) + ids + "/" + request.sealing().id();
    this.request = bytes.getBytes(StandardCharsets.UTF_8);
    this.before = begun.minusNanos(TICK_NANOS);
  }

  /**
   * What of {@code group} is the same for its files and for hard links to them in another tree;
   * nothing that a link of its own changes, unless that is asked for.
   *
   * @param withTimes whether what links change counts, of all that is no directory
   */
  GroupKey check(Group group, boolean withTimes) {
    begin(withTimes ? 1 : 2);
    for (TreeEntry entry : group.entries()) {
      room(NUMBERS_BYTES + entry.path().length + entry.target().length);
      Stat stat = entry.stat();
      attributes(entry);
      buffer.putLong(stat.mtime().seconds()).putInt(stat.mtime().nanos());
      if (stat.isDirectory()) {
        continue;
      }
      buffer.putLong(stat.size()).putLong(stat.rdev()).putLong(stat.inode());
      // A further name is linked with the first one, before or after it was looked at.
      if (withTimes && entry.type() != EntryIndex.Type.HARD_LINK) {
        buffer.putLong(stat.links());
        buffer.putLong(stat.ctime().seconds()).putInt(stat.ctime().nanos());
      }
    }
    return end();
  }

  /** Whether no directory of {@code group} has changed since {@code time}. */
  static boolean directoriesAreOlder(Group group, Instant time) {
    return group.entries().stream()
        .filter(entry -> entry.stat().isDirectory())
        .allMatch(entry -> isBefore(entry.stat().ctime(), time));
  }

  /** The key of {@code group}, null if it may change unseen. */
  @Nullable GroupKey of(Group group) throws IOException {
    begin(0);
    for (TreeEntry entry : group.entries()) {
      room(NUMBERS_BYTES + entry.path().length + entry.target().length);
      if (entry.path().length == 0) {
        root(entry);
      } else if (!isBefore(entry.stat().ctime(), before)) {
        sha256.reset();
        return null;
      } else {
        inner(entry);
      }
    }
    return end();
  }

  private void begin(int kind) {
    buffer.clear();
    buffer.put((byte) kind).put(request);
  }

  private GroupKey end() {
    sha256.update(buffer.flip());
    return GroupKey.of(sha256);
  }

  static boolean isBefore(Stat.Time time, Instant before) {
    return time.seconds() < before.getEpochSecond()
        || (time.seconds() == before.getEpochSecond() && time.nanos() < before.getNano());
  }

  private void inner(TreeEntry entry) {
    Stat stat = entry.stat();
    attributes(entry);
    buffer.putLong(stat.links()).putLong(stat.size()).putLong(stat.rdev());
    buffer.putLong(stat.device()).putLong(stat.inode());
    buffer.putLong(stat.ctime().seconds()).putInt(stat.ctime().nanos());
  }

  private void attributes(TreeEntry entry) {
    bytes(entry.path());
    bytes(entry.target());
    buffer.put((byte) entry.type().code()).putInt(entry.stat().mode());
    buffer.putInt(entry.stat().uid()).putInt(entry.stat().gid());
  }

  private void root(TreeEntry entry) throws IOException {
    Stat stat = entry.stat();
    buffer.put((byte) ~entry.type().code()).putInt(stat.mode()).putInt(stat.uid());
    buffer.putInt(stat.gid()).putLong(stat.mtime().seconds()).putInt(stat.mtime().nanos());
    Fd fd = entry.directory().fd();
    List<byte[]> names = new ArrayList<>(entry.xattrNames());
    names.removeIf(XattrFilter::isOverlays);
    names.sort(Arrays::compareUnsigned);
    for (byte[] name : names) {
      byte[] value = fd.xattr(name);
      byte[] held = value == null ? EntryIndex.NO_BYTES : value;
      room(2 * Integer.BYTES + name.length + held.length);
      bytes(name);
      bytes(held);
    }
  }

  private void bytes(byte[] bytes) {
    buffer.putInt(bytes.length).put(bytes);
  }

  private void room(int more) {
    if (buffer.remaining() < more) {
      sha256.update(buffer.flip());
      buffer.clear();
      if (buffer.remaining() < more) {
        buffer = ByteBuffer.allocate(more);
      }
    }
  }
}
