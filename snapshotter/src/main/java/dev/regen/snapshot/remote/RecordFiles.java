package dev.regen.snapshot.remote;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.FileTooLargeException;
import dev.regen.runtime.durable.Records;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Records as files of one directory. A name's {@code /} is a {@code +} there, so that no name leads
 * anywhere else, and {@code a} and {@code a/b} don't stand in each other's way.
 */
final class RecordFiles {
  static final int COUNT_MAX = 100_000;

  private final Disk disk;
  private final Records records;
  private final Path directory;
  private final Room room;

  /** Of every file; a directory of many takes long to list. */
  private final ConcurrentSkipListSet<String> names = new ConcurrentSkipListSet<>();

  /** How many names these are. */
  private final AtomicInteger count = new AtomicInteger();

  RecordFiles(Disk disk, Path directory, Room room) throws IOException {
    this.disk = disk;
    this.records = new Records(disk);
    this.directory = directory;
    this.room = room;
    records.makeDirectory(directory);
    records.sweep(directory);
    for (Path file : disk.list(directory)) {
      room.found(disk.size(file));
      names.add(file.getFileName().toString().replace('+', '/'));
    }
    count.set(names.size());
    // A crash may have left a name that was not forced.
    disk.forceDirectory(directory);
  }

  Optional<byte[]> read(String name, int limitBytes) throws IOException {
    Path file = file(name);
    try {
      return Optional.of(disk.read(file, limitBytes));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (FileTooLargeException e) {
      throw new RegenException.Damaged(e.getMessage() + "; no record is that long");
    }
  }

  /** A record's length, or -1 if there is none of that name. */
  long bytes(String name) throws IOException {
    return disk.size(file(name));
  }

  synchronized boolean replace(String name, byte[] content, @Nullable String ifTag)
      throws IOException {
    Path file = file(name);
    RemoteStore.checkRecord(content);
    if (ifTag != null && !ifTag.equals(tag(name))) {
      return false;
    }
    long old = disk.size(file);
    if (old < 0 && count.get() >= COUNT_MAX) {
      throw new RegenException.Refused("the store holds " + count + " records, and takes no more");
    }
    room.take(content.length);
    try {
      records.replace(file, content);
    } catch (IOException e) {
      room.give(content.length);
      throw e;
    }
    room.give(Math.max(0, old));
    if (names.add(name)) {
      count.incrementAndGet();
    }
    return true;
  }

  synchronized void delete(String name) throws IOException {
    Path file = file(name);
    long old = disk.size(file);
    records.remove(file);
    if (old >= 0) {
      room.give(old);
    }
    if (names.remove(name)) {
      count.decrementAndGet();
    }
  }

  List<String> list(String prefix) throws RegenException {
    RecordNames.checkPrefix(prefix);
    List<String> found = new ArrayList<>();
    for (String name : names.tailSet(prefix)) {
      if (!name.startsWith(prefix)) {
        break;
      }
      if (RecordNames.fits(name)) {
        found.add(name);
      }
    }
    return found;
  }

  private String tag(String name) throws IOException {
    return read(name, RemoteStore.RECORD_BYTES_MAX)
        .map(RemoteStore::tag)
        .orElse(RemoteStore.ABSENT);
  }

  private Path file(String name) throws RegenException {
    RecordNames.check(name);
    return directory.resolve(name.replace('/', '+'));
  }
}
