package dev.regen.agent.host;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Whether there is room where Regen writes. */
final class DiskRoom {
  private static final long LITTLE_BYTES = 2L << 30;
  private static final long TOO_LITTLE_BYTES = 256L << 20;

  private DiskRoom() {}

  static Check check(String name, Path path) throws IOException {
    Path there = path.toAbsolutePath();
    while (!Files.exists(there)) {
      there = WholeFile.directoryOf(there);
    }
    FileStore store = Files.getFileStore(there);
    long freeBytes = store.getUsableSpace();
    String found =
        String.format(Locale.ROOT, "%.1f GB free at %s (%s)", freeBytes / 1e9, there, store.type());
    String remedy = "free some: 'regen ls' shows which queues are large, 'regen keep' shortens one";
    if (freeBytes < TOO_LITTLE_BYTES) {
      return Check.wrong(name, found, remedy);
    }
    return freeBytes < LITTLE_BYTES ? Check.better(name, found, remedy) : Check.fits(name, found);
  }
}
