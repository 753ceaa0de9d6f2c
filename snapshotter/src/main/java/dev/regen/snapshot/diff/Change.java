package dev.regen.snapshot.diff;

import dev.regen.snapshot.layer.EntryIndex;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One path that is not the same on both sides.
 *
 * @param path relative to the container's root, of any bytes; the root's is empty
 * @param what is another, empty unless the kind is {@link Kind#CHANGED}
 * @param type what is there now, of a deleted path what was there; null if nobody here knows: the
 *     image had it, and is not at hand
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record Change(byte[] path, Kind kind, Set<What> what, EntryIndex.@Nullable Type type) {
  /** As {@code docker diff} has it. */
  public enum Kind {
    ADDED('A'),
    CHANGED('C'),
    DELETED('D');

    private final char letter;

    Kind(char letter) {
      this.letter = letter;
    }

    public char letter() {
      return letter;
    }
  }

  /** What of a path is another. */
  public enum What {
    /** A file is something else now, a directory for example; nothing more is said then. */
    TYPE,
    /** The bytes of a file. */
    CONTENT,
    /** Where a symbolic link points. */
    TARGET,
    /** The number of a device. */
    DEVICE,
    /** Permissions, setuid, setgid, sticky. */
    MODE,
    /** User or group. */
    OWNER,
    /** The time of the last change of content, to the nanosecond. */
    TIME,
    /** Extended attributes, among them capabilities and access control lists. */
    XATTRS
  }

  public Change {
    what = Set.copyOf(what);
  }

  /** Takes changes in order, as they are found. */
  @FunctionalInterface
  public interface Sink {
    void accept(Change change) throws java.io.IOException;
  }
}
