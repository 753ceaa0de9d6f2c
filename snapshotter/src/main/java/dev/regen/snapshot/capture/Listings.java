package dev.regen.snapshot.capture;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.layer.ListedTree;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** The listings of layers that were frozen in part, {@code listings/JOB}. */
final class Listings {
  private final Disk disk;
  private final Records records;
  private final Path directory;

  Listings(Disk disk, Path directory) {
    this.disk = disk;
    this.records = new Records(disk);
    this.directory = directory;
  }

  Path file(String job) {
    return directory.resolve(job);
  }

  /** Makes room for the listing of a job; one that a crash left goes. */
  Path begun(String job) throws IOException {
    records.makeDirectory(directory);
    disk.delete(file(job));
    return file(job);
  }

  boolean has(String job) throws IOException {
    return disk.size(file(job)) >= 0;
  }

  /** Removes the listings of all other jobs. */
  void keepOnly(Set<String> jobs) throws IOException {
    for (Path file : disk.list(directory)) {
      if (!jobs.contains(String.valueOf(file.getFileName()))) {
        disk.delete(file);
      }
    }
  }

  /** Removes the listing of a job, if it has one. */
  void remove(String job) throws IOException {
    disk.delete(file(job));
  }

  /**
   * The chunks that listings name.
   *
   * @throws IOException if one of them cannot be read
   */
  Set<Digest> chunks() throws IOException {
    Set<Digest> all = new HashSet<>();
    for (Path file : disk.list(directory)) {
      if (!String.valueOf(file.getFileName()).startsWith(Records.UNFINISHED)) {
        all.addAll(ListedTree.chunks(disk, file));
      }
    }
    return all;
  }
}
