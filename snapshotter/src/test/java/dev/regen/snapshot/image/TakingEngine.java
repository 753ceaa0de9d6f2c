package dev.regen.snapshot.image;

import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/** Takes archives as an engine does, with another tar than ours: whole, or not at all. */
final class TakingEngine implements ImagePull.Loader {
  Map<String, byte[]> files = Map.of();
  int loads;

  /** Without these it takes nothing. */
  Set<String> wanted = Set.of();

  @Override
  public void load(InputStream archive) throws IOException {
    loads++;
    Map<String, byte[]> read = new HashMap<>();
    TarArchiveInputStream tar = new TarArchiveInputStream(archive);
    for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
      read.put(entry.getName(), tar.readAllBytes());
    }
    if (!read.keySet().containsAll(wanted)) {
      throw new IOException("no such file or directory");
    }
    files = read;
  }
}
