package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Stat;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A name in a {@link MergedTree}: there may be a million, so it is small. Names with the same layer
 * and member are hard links of one another.
 */
final class MergedNode {
  static final int NO_LAYER = -1;

  private final byte[] name;
  private final @Nullable MergedNode parent;
  private @Nullable MergedNode nextInBucket;

  /** Null for all but directories. */
  @Nullable Directory directory;

  /** Of the member that says what this is; {@link #NO_LAYER} if none does. */
  int layer = NO_LAYER;

  /** Which member of that layer it is, the first is 1. */
  int member;

  /** The last layer that has this name, or one beneath it. */
  int touched = NO_LAYER;

  /** What a directory's member says of it; the arrays are not to be changed. */
  record Facts(TarMember.Owner owner, Stat.Time mtime, List<Xattr> xattrs) {}

  MergedNode(@Nullable MergedNode parent, byte[] name) {
    this.parent = parent;
    this.name = name;
  }

  byte[] name() {
    return name;
  }

  /** Null for the root. */
  @Nullable MergedNode parent() {
    return parent;
  }

  /** What a directory has, beside being a name. */
  static final class Directory {
    private static final int BUCKETS_MIN = 4;

    private @Nullable MergedNode[] buckets = new @Nullable MergedNode[BUCKETS_MIN];
    private int size;

    /** Null if no member says them. */
    @Nullable Facts facts;

    boolean isWritten;

    @Nullable MergedNode find(byte[] name) {
      MergedNode node = buckets[bucket(name)];
      while (node != null && !Arrays.equals(node.name, name)) {
        node = node.nextInBucket;
      }
      return node;
    }

    /** Adds one that {@link #find} does not. */
    void add(MergedNode child) {
      if (size == buckets.length) {
        @Nullable MergedNode[] before = buckets;
        buckets = new @Nullable MergedNode[2 * size];
        each(before, this::put);
      }
      put(child);
      size++;
    }

    void remove(MergedNode child) {
      int at = bucket(child.name);
      MergedNode before = null;
      for (MergedNode node = buckets[at]; node != null; node = node.nextInBucket) {
        if (node == child) {
          if (before == null) {
            buckets[at] = node.nextInBucket;
          } else {
            before.nextInBucket = node.nextInBucket;
          }
          size--;
          return;
        }
        before = node;
      }
    }

    /** All of them, in the same order wherever the same was done; any may be removed meanwhile. */
    void each(Consumer<MergedNode> consumer) {
      each(buckets, consumer);
    }

    private static void each(@Nullable MergedNode[] buckets, Consumer<MergedNode> consumer) {
      for (@Nullable MergedNode first : buckets) {
        MergedNode node = first;
        while (node != null) {
          MergedNode next = node.nextInBucket;
          consumer.accept(node);
          node = next;
        }
      }
    }

    private void put(MergedNode child) {
      int at = bucket(child.name);
      child.nextInBucket = buckets[at];
      buckets[at] = child;
    }

    private int bucket(byte[] name) {
      int hash = Arrays.hashCode(name) * 0x9E3779B9;
      return (hash ^ (hash >>> 16)) & (buckets.length - 1);
    }
  }
}
