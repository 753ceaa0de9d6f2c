package dev.regen.snapshot.layer;

import org.jspecify.annotations.Nullable;

/**
 * The first path of each inode that has several names. A layer frozen by hard links has nothing
 * else, so it is kept small: about 30 bytes an entry, besides the paths.
 */
final class LinkTable {
  private long[] inodes = new long[1024];
  private byte[] @Nullable [] paths = new byte[1024][];
  private int count;

  /** The path that {@code inode} was first seen at; null, and remembered, if this is the first. */
  byte @Nullable [] firstOrAdd(long inode, byte[] path) {
    int slot = slot(inode);
    byte[] first = paths[slot];
    if (first == null) {
      inodes[slot] = inode;
      paths[slot] = path;
      if (++count > inodes.length / 4 * 3) {
        grow();
      }
    }
    return first;
  }

  private int slot(long inode) {
    int mask = inodes.length - 1;
    int slot = (int) ((inode * 0x9E3779B97F4A7C15L) >>> 32) & mask;
    while (paths[slot] != null && inodes[slot] != inode) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private void grow() {
    long[] oldInodes = inodes;
    byte[] @Nullable [] oldPaths = paths;
    inodes = new long[2 * oldInodes.length];
    paths = new byte[2 * oldInodes.length][];
    for (int i = 0; i < oldInodes.length; i++) {
      byte[] path = oldPaths[i];
      if (path != null) {
        int slot = slot(oldInodes[i]);
        inodes[slot] = oldInodes[i];
        paths[slot] = path;
      }
    }
  }
}
