package dev.regen.snapshot.layer;

import java.util.List;

/**
 * Entries that are cut together: it depends on the walk alone which, on no byte of their content.
 * So a group that has not changed since an archive before need not be read.
 *
 * @param entries several small ones, or one large file; not empty
 */
record Group(List<TreeEntry> entries) {
  boolean isLargeFile() {
    return entries.getFirst().isLarge();
  }
}
