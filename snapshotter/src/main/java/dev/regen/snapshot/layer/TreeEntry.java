package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Stat;
import java.util.List;

/**
 * What the walk found: enough to group it and to say whether it changed, nothing read of it yet.
 *
 * @param directory where it is; for the root and for opaque marks the directory itself
 * @param name in that directory, {@code .} for the root and for opaque marks
 * @param path relative to the tree
 * @param target of a hard link the path of the entry before it that it is another name of, else
 *     empty
 * @param xattrNames of a directory, else empty and still to be asked for
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
record TreeEntry(
    Directory directory,
    byte[] name,
    byte[] path,
    EntryIndex.Type type,
    Stat stat,
    byte[] target,
    List<byte[]> xattrNames) {

  /** A file whose content is cut by itself rather than grouped with others. */
  static final long LARGE_BYTES = 1 << 20;

  private static final int HEADERS_BYTES = 3 * EntryIndex.BLOCK;

  boolean isLarge() {
    return type == EntryIndex.Type.FILE && stat.size() >= LARGE_BYTES;
  }

  /** About what it takes in the tar stream; known without a look at its attributes. */
  long tarBytesAbout() {
    long content = type == EntryIndex.Type.FILE ? EntryIndex.padded(stat.size()) : 0;
    return HEADERS_BYTES + content;
  }
}
