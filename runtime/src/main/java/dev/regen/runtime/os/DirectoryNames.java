package dev.regen.runtime.os;

import com.sun.jna.Memory;
import dev.regen.runtime.os.Fd.Name;
import java.util.ArrayList;
import java.util.List;

/** {@code getdents64(2)}: what a directory holds, from where its descriptor is. */
final class DirectoryNames {
  private static final int BUFFER_BYTES = 64 * 1024;

  private DirectoryNames() {}

  static List<Name> all(int directory) throws ErrnoException {
    List<Name> names = new ArrayList<>();
    try (Memory buffer = new Memory(BUFFER_BYTES)) {
      while (read(directory, buffer, names)) {
        // until the end
      }
    }
    return names;
  }

  static List<Name> some(int directory) throws ErrnoException {
    List<Name> names = new ArrayList<>();
    try (Memory buffer = new Memory(BUFFER_BYTES)) {
      while (names.isEmpty() && read(directory, buffer, names)) {
        // a buffer with nothing but dots is not the end
      }
    }
    return names;
  }

  private static boolean read(int directory, Memory buffer, List<Name> names)
      throws ErrnoException {
    long read = Libc.getdents64(directory, buffer, BUFFER_BYTES);
    if (read < 0) {
      throw ErrnoException.last("getdents64", OpenFile.path(directory));
    }
    for (long at = 0; at < read; at += buffer.getShort(at + 16) & 0xFFFF) {
      byte[] name = cString(buffer, at + 19);
      if (!isDots(name)) {
        names.add(new Name(name, buffer.getByte(at + 18) & 0xFF));
      }
    }
    return read > 0;
  }

  private static boolean isDots(byte[] name) {
    return name[0] == '.' && (name.length == 1 || (name.length == 2 && name[1] == '.'));
  }

  private static byte[] cString(Memory buffer, long offset) {
    int length = (int) buffer.indexOf(offset, (byte) 0);
    return buffer.getByteArray(offset, length);
  }
}
