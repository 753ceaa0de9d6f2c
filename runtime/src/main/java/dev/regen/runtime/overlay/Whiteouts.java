package dev.regen.runtime.overlay;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * How a layer says that something of the layers below is gone: on disk as overlay keeps it, and in
 * a layer tar as OCI names it.
 *
 * <p>Sources: Linux, Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories";
 * OCI image specification, layer.md, "Whiteouts".
 */
public final class Whiteouts {
  /** Before the name of what a tar entry deletes. */
  public static final String PREFIX = ".wh.";

  /** The name of the tar entry that makes its directory opaque. */
  public static final String OPAQUE_ENTRY = ".wh..wh..opq";

  /**
   * Before the name of a real file whose name begins with {@link #PREFIX}, which every reader would
   * take for a deletion.
   */
  public static final String ESCAPE = ".wh..wh.regen.";

  private static final byte[] PREFIX_BYTES = ascii(PREFIX);
  private static final byte[] ESCAPE_BYTES = ascii(ESCAPE);
  private static final byte[] OPAQUE_ENTRY_BYTES = ascii(OPAQUE_ENTRY);
  private static final byte[][] OPAQUE_XATTRS = {
    ascii("trusted.overlay.opaque"), ascii("user.overlay.opaque")
  };
  private static final byte[][] WHITEOUT_XATTRS = {
    ascii("trusted.overlay.whiteout"), ascii("user.overlay.whiteout")
  };

  /** What a directory's opaque attribute says. */
  public enum Opacity {
    /** Shows what the layers below have. */
    NONE,
    /** Hides it all. */
    OPAQUE,
    /** Hides nothing itself, but files in it may be whiteouts of the attribute form. */
    HOLDS_XATTR_WHITEOUTS
  }

  private Whiteouts() {}

  /**
   * Whether a file of an upper directory is a whiteout in its device form: character device 0/0.
   */
  public static boolean isDevice(Stat stat) {
    return stat.type() == Stat.CHARACTER_DEVICE && stat.rdev() == 0;
  }

  /**
   * Whether {@code name} is a whiteout in its attribute form (Linux 6.7): an empty regular file
   * with overlay's whiteout attribute. Means that only in a directory which {@link
   * Opacity#HOLDS_XATTR_WHITEOUTS}.
   */
  public static boolean isXattrForm(Fd directory, byte[] name, Stat stat) throws ErrnoException {
    if (!stat.isRegular() || stat.size() != 0) {
      return false;
    }
    for (byte[] attribute : WHITEOUT_XATTRS) {
      if (directory.xattrAt(name, attribute) != null) {
        return true;
      }
    }
    return false;
  }

  /** What the open {@code directory} of an upper hides. */
  public static Opacity opacity(Fd directory) throws ErrnoException {
    for (byte[] attribute : OPAQUE_XATTRS) {
      byte[] value = directory.xattr(attribute);
      if (value != null && value.length == 1) {
        switch (value[0]) {
          case 'y' -> {
            return Opacity.OPAQUE;
          }
          case 'x' -> {
            return Opacity.HOLDS_XATTR_WHITEOUTS;
          }
          default -> {
            // Overlay takes any other value for none.
          }
        }
      }
    }
    return Opacity.NONE;
  }

  /** The tar name of the entry that deletes {@code name}. */
  public static byte[] deletion(byte[] name) {
    return joined(PREFIX_BYTES, stored(name));
  }

  /** The tar name of a real file, the same in all but name that begin with {@link #PREFIX}. */
  public static byte[] stored(byte[] name) {
    return startsWith(name, PREFIX_BYTES) ? joined(ESCAPE_BYTES, name) : name;
  }

  /** {@link #stored(byte[])} of each name of a path. */
  public static byte[] storedPath(byte[] path) {
    return eachName(path, Whiteouts::stored);
  }

  /** Whether the last name of a tar entry makes its directory opaque. */
  public static boolean isOpaqueEntry(byte[] name) {
    return Arrays.equals(name, OPAQUE_ENTRY_BYTES);
  }

  /** Whether the last name of a tar entry, not {@link #isOpaqueEntry}, is a deletion. */
  public static boolean isDeletion(byte[] name) {
    return startsWith(name, PREFIX_BYTES) && !startsWith(name, ESCAPE_BYTES);
  }

  /** What an entry that {@link #isDeletion} deletes; undoes {@link #deletion}. */
  public static byte[] deleted(byte[] name) {
    return real(Arrays.copyOfRange(name, PREFIX_BYTES.length, name.length));
  }

  /** The name on disk of a tar entry that is no deletion; undoes {@link #stored(byte[])}. */
  public static byte[] real(byte[] name) {
    return startsWith(name, ESCAPE_BYTES)
        ? Arrays.copyOfRange(name, ESCAPE_BYTES.length, name.length)
        : name;
  }

  /** {@link #real(byte[])} of each name of a path. */
  public static byte[] realPath(byte[] path) {
    return eachName(path, Whiteouts::real);
  }

  private interface Change {
    byte[] of(byte[] name);
  }

  private static byte[] eachName(byte[] path, Change change) {
    if (!mayHoldPrefix(path)) {
      return path;
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream(path.length + ESCAPE_BYTES.length);
    int start = 0;
    for (int i = 0; i <= path.length; i++) {
      if (i == path.length || path[i] == '/') {
        out.writeBytes(change.of(Arrays.copyOfRange(path, start, i)));
        if (i < path.length) {
          out.write('/');
        }
        start = i + 1;
      }
    }
    return out.toByteArray();
  }

  private static boolean mayHoldPrefix(byte[] path) {
    for (int i = 0; i + 4 <= path.length; i++) {
      if (path[i] == '.' && path[i + 1] == 'w' && path[i + 2] == 'h' && path[i + 3] == '.') {
        return true;
      }
    }
    return false;
  }

  private static boolean startsWith(byte[] name, byte[] prefix) {
    return name.length >= prefix.length
        && Arrays.equals(name, 0, prefix.length, prefix, 0, prefix.length);
  }

  private static byte[] joined(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
