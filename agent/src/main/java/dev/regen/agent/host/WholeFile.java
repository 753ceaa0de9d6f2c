package dev.regen.agent.host;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.UUID;

/** Files that are replaced whole and for good, with the owner and mode that they should have. */
final class WholeFile {
  private WholeFile() {}

  /** Sets owner and mode of a new file before it gets its name. */
  interface Dress {
    void apply(Path unfinished) throws IOException;
  }

  /** Puts {@code content} in the place of {@code file}, or makes it; a crash leaves old or new. */
  static void replace(Disk disk, Path file, byte[] content, Dress dress) throws IOException {
    Path unfinished = file.resolveSibling(Records.UNFINISHED + UUID.randomUUID());
    try {
      disk.create(unfinished, ByteBuffer.wrap(content));
      dress.apply(unfinished);
      disk.force(unfinished);
      disk.rename(unfinished, file);
    } finally {
      disk.delete(unfinished);
    }
    disk.forceDirectory(directoryOf(file));
  }

  /** The directory that holds {@code path}. */
  static Path directoryOf(Path path) {
    Path directory = path.toAbsolutePath().getParent();
    if (directory == null) {
      throw new IllegalArgumentException(path + " has no directory above it");
    }
    return directory;
  }
}
