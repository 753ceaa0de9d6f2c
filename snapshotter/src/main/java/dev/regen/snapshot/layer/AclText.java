package dev.regen.snapshot.layer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * POSIX ACLs in text form, as GNU tar ({@code --acls}), star and libarchive put them into PAX
 * headers, in the kernel's form: {@code user::rw-}, {@code user:NAME-OR-ID:r--[:ID]}, {@code
 * group::}, {@code mask::}, {@code other::}, one a line or with commas between.
 *
 * <p>A name without an id beside it is looked up on this host, as tar does.
 *
 * <p>Sources: acl(5), "ACL TEXT FORMS"; Linux, include/uapi/linux/posix_acl_xattr.h and {@code
 * posix_acl_valid}.
 */
final class AclText {
  /** As many as the largest extended attribute holds. */
  private static final int ENTRIES_MAX = 8000;

  private static final int NAME_MAX = 256;
  private static final long NAMES_BYTES_MAX = 4 << 20;
  private static final long ID_MAX = 0xFFFFFFFEL;
  private static final int NOBODY = -1;
  private static final int VERSION = 2;
  private static final Path USERS = Path.of("/etc/passwd");
  private static final Path GROUPS = Path.of("/etc/group");

  private static final int USER_OBJ = 0x01;
  private static final int USER = 0x02;
  private static final int GROUP_OBJ = 0x04;
  private static final int GROUP = 0x08;
  private static final int MASK = 0x10;
  private static final int OTHER = 0x20;

  /** Permissions by tag and id; the kernel wants them in the order of tags. */
  private final Map<Long, Integer> entries = new TreeMap<>();

  private AclText() {}

  /**
   * The value of the extended attribute, or null where the permissions say it all.
   *
   * @param access the file's own ACL, rather than a directory's default one
   * @throws BadLayerException if the kernel would not take it, or it names who is not known here
   */
  static byte @Nullable [] binary(byte[] text, boolean access) throws BadLayerException {
    AclText acl = new AclText();
    for (String line : new String(text, StandardCharsets.UTF_8).split("[,\n]", -1)) {
      String entry = line.replaceFirst("#.*", "").strip();
      if (!entry.isEmpty()) {
        acl.add(entry);
      }
    }
    if (acl.entries.isEmpty()) {
      return null;
    }
    acl.check();
    return access && acl.entries.size() == 3 ? null : acl.bytes();
  }

  private void add(String entry) throws BadLayerException {
    String[] parts = entry.split(":", -1);
    if (parts.length < 3 || parts.length > 4 || entry.length() > 2 * NAME_MAX) {
      throw malformed(entry);
    }
    String name = parts[1].strip();
    int tag =
        switch (parts[0].strip()) {
          case "user", "u" -> name.isEmpty() ? USER_OBJ : USER;
          case "group", "g" -> name.isEmpty() ? GROUP_OBJ : GROUP;
          case "mask", "m" -> MASK;
          case "other", "o" -> OTHER;
          default -> throw malformed(entry);
        };
    boolean named = tag == USER || tag == GROUP;
    if (!named && !name.isEmpty()) {
      throw malformed(entry);
    }
    long id = named ? id(tag, name, parts.length == 4 ? parts[3].strip() : "") : 0;
    if (entries.size() >= ENTRIES_MAX
        || entries.put(((long) tag << 32) | id, permissions(parts[2].strip(), entry)) != null) {
      throw new BadLayerException("has an access control list with too many or double entries");
    }
  }

  private static long id(int tag, String name, String told) throws BadLayerException {
    String digits = told.isEmpty() ? name : told;
    if (digits.matches("[0-9]{1,10}") && Long.parseLong(digits) <= ID_MAX) {
      return Long.parseLong(digits);
    }
    Long known = told.isEmpty() ? lookUp(tag == USER ? USERS : GROUPS, name) : null;
    if (known == null) {
      throw new BadLayerException(
          "has an access control list for the "
              + (tag == USER ? "user " : "group ")
              + BadLayerException.shown(name.getBytes(StandardCharsets.UTF_8))
              + ", who is not known on this host; make the archive with numbers");
    }
    return known;
  }

  /** Both files have the id in the third field. */
  private static @Nullable Long lookUp(Path file, String name) throws BadLayerException {
    try {
      if (Files.size(file) > NAMES_BYTES_MAX) {
        return null;
      }
      for (String line : Files.readString(file, StandardCharsets.ISO_8859_1).split("\n", -1)) {
        String[] fields = line.split(":", -1);
        if (fields.length > 2 && fields[0].equals(name) && fields[2].matches("[0-9]{1,9}")) {
          return Long.parseLong(fields[2]);
        }
      }
      return null;
    } catch (IOException e) {
      throw new BadLayerException("has an access control list with names, and " + e.getMessage());
    }
  }

  private static int permissions(String text, String entry) throws BadLayerException {
    int bits = 0;
    for (int i = 0; i < text.length(); i++) {
      bits |=
          switch (text.charAt(i)) {
            case 'r' -> 4;
            case 'w' -> 2;
            case 'x' -> 1;
            case '-' -> 0;
            default -> throw malformed(entry);
          };
    }
    if (text.isEmpty() || text.length() > 3) {
      throw malformed(entry);
    }
    return bits;
  }

  private void check() throws BadLayerException {
    int tags = 0;
    for (long key : entries.keySet()) {
      tags |= (int) (key >> 32);
    }
    int needed = USER_OBJ | GROUP_OBJ | OTHER | ((tags & (USER | GROUP)) != 0 ? MASK : 0);
    if ((tags & needed) != needed) {
      throw new BadLayerException(
          "has an access control list without its owner, group, mask or others");
    }
  }

  private byte[] bytes() {
    ByteBuffer out =
        ByteBuffer.allocate(4 + 8 * entries.size()).order(ByteOrder.LITTLE_ENDIAN).putInt(VERSION);
    entries.forEach((key, permissions) -> {
      int tag = (int) (key >> 32);
      boolean named = tag == USER || tag == GROUP;
      out.putShort((short) tag)
          .putShort(permissions.shortValue())
          .putInt(named ? key.intValue() : NOBODY);
    });
    return out.array();
  }

  private static BadLayerException malformed(String entry) {
    String shown = entry.substring(0, Math.min(entry.length(), NAME_MAX));
    return new BadLayerException(
        "has a malformed access control list: "
            + BadLayerException.shown(shown.getBytes(StandardCharsets.UTF_8)));
  }
}
