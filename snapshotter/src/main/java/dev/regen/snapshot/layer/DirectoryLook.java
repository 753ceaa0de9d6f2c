package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.overlay.Whiteouts;
import java.io.IOException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a walk needs to know of a directory.
 *
 * @param names in byte order
 * @param stats of the names, null for those that are passed over; no stats at all of a directory
 *     with more than {@value #STATS_MAX} names, which take too much memory
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
record DirectoryLook(
    List<byte[]> xattrNames,
    Whiteouts.Opacity opacity,
    List<Fd.Name> names,
    @Nullable Stat @Nullable [] stats) {
  static final int STATS_MAX = 1024;

  /** Looks at an open directory; stats nothing in it. */
  static DirectoryLook at(Fd fd) throws IOException {
    List<byte[]> xattrNames = fd.xattrNames();
    Whiteouts.Opacity opacity =
        xattrNames.isEmpty() ? Whiteouts.Opacity.NONE : Whiteouts.opacity(fd);
    List<Fd.Name> names = fd.list();
    names.sort(Comparator.comparing(Fd.Name::bytes, Arrays::compareUnsigned));
    return new DirectoryLook(xattrNames, opacity, names, null);
  }

  /** The same with the stats of its names, but for those that are passed over or have vanished. */
  DirectoryLook withStats(Fd fd, byte[] path, Paths passedOver) throws IOException {
    if (names.size() > STATS_MAX) {
      return this;
    }
    @Nullable Stat[] all = new Stat[names.size()];
    for (int i = 0; i < all.length; i++) {
      byte[] name = names.get(i).bytes();
      all[i] = passedOver.contains(Paths.below(path, name)) ? null : fd.statIfThere(name);
    }
    return new DirectoryLook(xattrNames, opacity, names, all);
  }

  /** Null if it is not known. */
  @Nullable Stat stat(int number) {
    return stats == null ? null : stats[number];
  }
}
