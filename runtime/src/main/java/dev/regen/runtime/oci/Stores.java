package dev.regen.runtime.oci;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.overlay.Staging;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** The staging directories of this host, one small file each, so that the sweep finds them all. */
public final class Stores {
  private static final int PATH_MAX_BYTES = 4096;

  private final Disk disk;
  private final Path directory;

  public Stores(Disk disk, Path directory) {
    this.disk = disk;
    this.directory = directory;
  }

  /** Remembers a staging directory; costs one listing where it is known already. */
  public void remember(Staging staging) throws IOException {
    byte[] path = staging.directory().toString().getBytes(StandardCharsets.UTF_8);
    Path file = directory.resolve(UUID.nameUUIDFromBytes(path).toString());
    if (!disk.list(directory).contains(file)) {
      disk.makeDirectories(directory);
      new Records(disk).replace(file, path);
    }
  }

  /** Every staging directory that was ever used here. */
  public List<Staging> all() throws IOException {
    List<Staging> all = new ArrayList<>();
    for (Path file : disk.list(directory)) {
      if (!String.valueOf(file.getFileName()).startsWith(Records.UNFINISHED)) {
        String path = new String(disk.read(file, PATH_MAX_BYTES), StandardCharsets.UTF_8);
        all.add(new Staging(Path.of(path)));
      }
    }
    return all;
  }
}
