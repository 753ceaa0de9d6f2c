package dev.regen.runtime.overlay;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Owner, mode, extended attributes and time, from one file to another; overlay's own marks stay.
 */
final class Attributes {
  private static final byte[] SELF = {'.'};

  private Attributes() {}

  /** Gives {@code name} in {@code to} what {@code from}'s has, and nothing else. */
  static void copy(Fd from, Fd to, byte[] name, Stat stat) throws IOException {
    to.chownAt(name, stat.uid(), stat.gid());
    Map<ByteBuffer, byte[]> wanted = xattrs(from, name);
    for (byte[] there : to.xattrNamesAt(name)) {
      if (!wanted.containsKey(ByteBuffer.wrap(there)) && !isKernels(there)) {
        to.removeXattrAt(name, there);
      }
    }
    for (byte[] attribute : from.xattrNamesAt(name)) {
      byte[] value = wanted.get(ByteBuffer.wrap(attribute));
      if (value != null) {
        to.setXattrAt(name, attribute, value);
      }
    }
    if (!stat.isSymlink()) {
      to.chmodAt(name, stat.permissions());
    }
    to.touchAt(name, stat.mtime());
  }

  /** {@link #copy} for a file that was just made, and has no attributes of its own. */
  static void give(Fd from, Fd to, byte[] name, Stat stat) throws IOException {
    to.chownAt(name, stat.uid(), stat.gid());
    for (byte[] attribute : from.xattrNamesAt(name)) {
      byte[] value = isOverlays(attribute) ? null : from.xattrAt(name, attribute);
      if (value != null) {
        to.setXattrAt(name, attribute, value);
      }
    }
    if (!stat.isSymlink()) {
      to.chmodAt(name, stat.permissions());
    }
    to.touchAt(name, stat.mtime());
  }

  /** {@link #copy} of the open directories themselves. */
  static void copy(Fd from, Fd to) throws IOException {
    copy(from, to, SELF, from.stat());
  }

  /** Whether two files of one name have the same extended attributes. */
  static boolean same(Fd one, Fd other, byte[] name) throws IOException {
    Map<ByteBuffer, byte[]> ones = xattrs(one, name);
    Map<ByteBuffer, byte[]> others = xattrs(other, name);
    if (!ones.keySet().equals(others.keySet())) {
      return false;
    }
    for (Map.Entry<ByteBuffer, byte[]> attribute : ones.entrySet()) {
      if (!java.util.Arrays.equals(attribute.getValue(), others.get(attribute.getKey()))) {
        return false;
      }
    }
    return true;
  }

  private static Map<ByteBuffer, byte[]> xattrs(Fd directory, byte[] name) throws IOException {
    Map<ByteBuffer, byte[]> all = new HashMap<>();
    for (byte[] attribute : directory.xattrNamesAt(name)) {
      byte[] value = isOverlays(attribute) ? null : directory.xattrAt(name, attribute);
      if (value != null) {
        all.put(ByteBuffer.wrap(attribute), value);
      }
    }
    return all;
  }

  private static boolean isOverlays(byte[] attribute) {
    String text = new String(attribute, StandardCharsets.ISO_8859_1);
    return text.startsWith("trusted.overlay.") || text.startsWith("user.overlay.");
  }

  /** Labels that the kernel puts on each file by itself. */
  private static boolean isKernels(byte[] attribute) {
    return isOverlays(attribute)
        || new String(attribute, StandardCharsets.ISO_8859_1).equals("security.selinux");
  }
}
