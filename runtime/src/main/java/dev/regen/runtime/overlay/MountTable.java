package dev.regen.runtime.overlay;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The mounts that the calling thread sees, in the order they were made.
 *
 * <p>Source: {@code proc_pid_mountinfo(5)}. Paths are octal-escaped there; a value may hold commas
 * in quotes (SELinux contexts).
 */
public final class MountTable {
  private static final Path SELF = Path.of("/proc/thread-self/mountinfo");

  private final List<Entry> entries;

  private MountTable(List<Entry> entries) {
    this.entries = entries;
  }

  /**
   * One mount.
   *
   * @param root the directory of the file system that is mounted
   * @param mountPoint where, relative to the process's root
   * @param mountOptions of this mount: {@code rw}, {@code nodev}, …
   * @param superOptions of the file system, unescaped
   */
  public record Entry(
      long id,
      long parent,
      String root,
      Path mountPoint,
      List<String> mountOptions,
      String type,
      String source,
      List<String> superOptions) {

    /** The value of {@code name=value} in the file system's options, or null. */
    public @Nullable String option(String name) {
      for (String option : superOptions) {
        if (option.startsWith(name + "=")) {
          return option.substring(name.length() + 1);
        }
      }
      return null;
    }
  }

  /** Reads the whole table at one moment. */
  public static MountTable read() throws IOException {
    return parse(new String(Files.readAllBytes(SELF), StandardCharsets.UTF_8));
  }

  static MountTable parse(String mountinfo) throws IOException {
    List<Entry> entries = new ArrayList<>();
    for (String line : mountinfo.split("\n", -1)) {
      if (!line.isEmpty()) {
        entries.add(parseLine(line));
      }
    }
    return new MountTable(entries);
  }

  public List<Entry> entries() {
    return entries;
  }

  /** The mount on top at {@code mountPoint}, or null where nothing is mounted. */
  public @Nullable Entry at(Path mountPoint) {
    Entry found = null;
    for (Entry entry : entries) {
      if (entry.mountPoint().equals(mountPoint)) {
        found = entry;
      }
    }
    return found;
  }

  private static Entry parseLine(String line) throws IOException {
    String[] fields = line.split(" ", -1);
    int dash = 6;
    while (dash < fields.length && !fields[dash].equals("-")) {
      dash++;
    }
    if (dash + 3 >= fields.length) {
      throw new IOException("unreadable line in " + SELF + ": " + line);
    }
    return new Entry(
        Long.parseLong(fields[0]),
        Long.parseLong(fields[1]),
        unescape(fields[3]),
        Path.of(unescape(fields[4])),
        List.of(fields[5].split(",", -1)),
        fields[dash + 1],
        unescape(fields[dash + 2]),
        options(fields[dash + 3]));
  }

  /** Splits at commas outside quotes, then unescapes. */
  private static List<String> options(String text) {
    List<String> options = new ArrayList<>();
    boolean quoted = false;
    int start = 0;
    for (int i = 0; i <= text.length(); i++) {
      char c = i < text.length() ? text.charAt(i) : ',';
      if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && (!quoted || i == text.length())) {
        options.add(unescape(text.substring(start, i)));
        start = i + 1;
      }
    }
    return options;
  }

  /** Turns {@code \040} and the like back into the byte they stand for. */
  static String unescape(String text) {
    if (text.indexOf('\\') < 0) {
      return text;
    }
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream plain = new ByteArrayOutputStream(bytes.length);
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == '\\' && i + 3 < bytes.length && isOctal(bytes, i + 1)) {
        plain.write((bytes[i + 1] - '0') << 6 | (bytes[i + 2] - '0') << 3 | (bytes[i + 3] - '0'));
        i += 3;
      } else {
        plain.write(bytes[i]);
      }
    }
    return plain.toString(StandardCharsets.UTF_8);
  }

  private static boolean isOctal(byte[] bytes, int at) {
    for (int i = at; i < at + 3; i++) {
      if (bytes[i] < '0' || bytes[i] > '7') {
        return false;
      }
    }
    return true;
  }
}
