package dev.regen.agent.jobs;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * JSON objects, one a line, the newest last, each with its number as {@code id}: numbers grow, and
 * go on after a restart.
 *
 * <p>A file that has become too long is renamed to {@code NAME.1}, in place of the one before; so
 * at most twice that is kept. A line that a power cut or a full disk left in part is passed over,
 * and so is any other that cannot be read. Safe for several threads.
 */
public final class JsonLines {
  private static final Logger LOG = LoggerFactory.getLogger(JsonLines.class);
  private static final String ID = "id";
  private static final int BLOCK_BYTES = 64 << 10;

  private final Disk disk;
  private final Path directory;
  private final Path file;
  private final Path older;
  private final long fileBytesMax;
  private final boolean forced;

  /** The number of the last line; -1 until the file was looked at. */
  private long last = -1;

  /** Whether the file may end within a line. */
  private boolean torn;

  /**
   * The lines of the file {@code name} in {@code directory}, which may be missing.
   *
   * @param forced whether a line that {@link #append} has returned for survives a power cut;
   *     otherwise that may take the last ones
   */
  public JsonLines(Disk disk, Path directory, String name, long fileBytesMax, boolean forced) {
    this.disk = disk;
    this.directory = directory;
    this.file = directory.resolve(name);
    this.older = directory.resolve(name + ".1");
    this.fileBytesMax = fileBytesMax;
    this.forced = forced;
  }

  /** Adds a line, and gives it its number, which is returned. */
  public synchronized long append(JsonObject json) throws IOException {
    if (last < 0) {
      last = lastNumber();
    }
    JsonObject numbered = new JsonObject().with(ID, last + 1);
    json.members().forEach(numbered::with);
    ByteBuffer line =
        ByteBuffer.wrap(((torn ? "\n" : "") + numbered + "\n").getBytes(StandardCharsets.UTF_8));
    torn = true; // Until the line is there as a whole.
    write(line);
    torn = false;
    return ++last;
  }

  private void write(ByteBuffer line) throws IOException {
    long size = disk.size(file);
    if (size >= 0 && size + line.remaining() > fileBytesMax) {
      disk.rename(file, older);
      size = -1;
    }
    if (size < 0) {
      disk.create(file, line);
    } else {
      disk.append(file, line);
    }
    if (forced) {
      disk.force(file);
      if (size < 0) {
        disk.forceDirectory(directory);
      }
    }
  }

  private long lastNumber() throws IOException {
    long size = disk.size(file);
    torn = size > 0 && disk.read(file, size - 1, 1)[0] != '\n';
    List<JsonObject> newest = newest(Long.MAX_VALUE, 1, _ -> true);
    return newest.isEmpty() ? 0 : newest.getFirst().numberOr(ID, 0);
  }

  /**
   * The newest lines, oldest of them first.
   *
   * @param before only those with a lower number
   * @param most how many at most
   */
  public synchronized List<JsonObject> newest(long before, int most, Predicate<JsonObject> wanted)
      throws IOException {
    List<JsonObject> found = new ArrayList<>();
    for (Path part : List.of(file, older)) {
      readBackwards(
          part,
          line -> {
            add(line, before, wanted, found);
            return found.size() < most;
          });
    }
    return List.copyOf(found.reversed());
  }

  /** Takes a line; whether it wants another. */
  @FunctionalInterface
  private interface LineTaker {
    boolean take(String line);
  }

  /** From the last line to the first: who wants a few reads little. */
  private void readBackwards(Path part, LineTaker taker) throws IOException {
    byte[] begun = new byte[0];
    try {
      for (long at = disk.size(part); at > 0; ) {
        int length = (int) Math.min(BLOCK_BYTES, at);
        at -= length;
        byte[] block = Arrays.copyOf(disk.read(part, at, length), length + begun.length);
        System.arraycopy(begun, 0, block, length, begun.length);
        int end = block.length;
        for (int i = end - 1; i >= 0; i--) {
          if (block[i] == '\n') {
            if (!taker.take(new String(block, i + 1, end - i - 1, StandardCharsets.UTF_8))) {
              return;
            }
            end = i;
          }
        }
        begun = Arrays.copyOf(block, end);
      }
    } catch (NoSuchFileException e) {
      return; // Renamed by another process; the next one to look finds it there.
    }
    taker.take(new String(begun, StandardCharsets.UTF_8));
  }

  private void add(String line, long before, Predicate<JsonObject> wanted, List<JsonObject> found) {
    if (line.isBlank()) {
      return;
    }
    try {
      JsonObject json = JsonObject.parse(line);
      if (json.numberOr(ID, 0) < before && wanted.test(json)) {
        found.add(json);
      }
    } catch (IOException e) {
      LOG.debug("a line of {} cannot be read", file, e);
    }
  }
}
