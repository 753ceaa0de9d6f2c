package dev.regen.snapshot.layer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Which extended attributes of an archive may be set, and their values as this host needs them.
 *
 * <p>User ids inside file capabilities and ACLs are the container's in an archive and the host's on
 * disk.
 */
final class AllowedXattrs {
  static final String CAPABILITY = "security.capability";
  static final String ACL_DEFAULT = "system.posix_acl_default";
  static final String ACL_ACCESS = "system.posix_acl_access";

  private static final int NAME_BYTES_MAX = 255;
  private static final int VALUE_BYTES_MAX = 64 << 10;
  private static final int CAPABILITY_2 = 0x02000000;
  private static final int CAPABILITY_3 = 0x03000000;
  private static final int CAPABILITY_2_BYTES = 20;
  private static final int CAPABILITY_3_BYTES = 24;
  private static final int ACL_VERSION = 2;
  private static final int ACL_HEADER_BYTES = 4;
  private static final int ACL_ENTRY_BYTES = 8;
  private static final int ACL_USER = 0x02;
  private static final int ACL_GROUP = 0x08;

  private AllowedXattrs() {}

  /**
   * The value to set.
   *
   * @throws BadLayerException if the attribute may not come from an archive
   */
  static byte[] value(Xattr xattr, HostIds ids) throws BadLayerException {
    String name = new String(xattr.name(), StandardCharsets.ISO_8859_1);
    if (name.length() > NAME_BYTES_MAX || name.indexOf(0) >= 0) {
      throw new BadLayerException("has an extended attribute with an impossible name");
    }
    if (xattr.value().length > VALUE_BYTES_MAX) {
      throw new BadLayerException("has an extended attribute of more than 64 KiB: " + name);
    }
    return switch (name) {
      case CAPABILITY -> capability(xattr.value(), ids);
      case ACL_ACCESS, ACL_DEFAULT -> acl(xattr.value(), ids);
      default -> userValue(name, xattr);
    };
  }

  private static byte[] userValue(String name, Xattr xattr) throws BadLayerException {
    if (name.length() > 5 && name.startsWith("user.") && !name.startsWith("user.overlay.")) {
      return xattr.value();
    }
    throw new BadLayerException(
        "has the extended attribute "
            + BadLayerException.shown(xattr.name())
            + ", which no archive may set");
  }

  /** Source: capabilities(7), "File capability extended attribute versioning". */
  private static byte[] capability(byte[] value, HostIds ids) throws BadLayerException {
    ByteBuffer in = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    int revision = value.length < 4 ? 0 : in.getInt(0) & 0xFF000000;
    boolean two = revision == CAPABILITY_2 && value.length == CAPABILITY_2_BYTES;
    boolean three = revision == CAPABILITY_3 && value.length == CAPABILITY_3_BYTES;
    if (!two && !three) {
      throw new BadLayerException("has a malformed file capability");
    }
    if (!ids.mapsUsers()) {
      return value;
    }
    long inside = three ? in.getInt(CAPABILITY_2_BYTES) & 0xFFFFFFFFL : 0;
    int root = ids.user(inside);
    ByteBuffer out =
        ByteBuffer.allocate(root == 0 ? CAPABILITY_2_BYTES : CAPABILITY_3_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    out.putInt((in.getInt(0) & 0xFFFFFF) | (root == 0 ? CAPABILITY_2 : CAPABILITY_3));
    out.put(value, 4, CAPABILITY_2_BYTES - 4);
    if (root != 0) {
      out.putInt(root);
    }
    return out.array();
  }

  /** Source: Linux, include/uapi/linux/posix_acl_xattr.h. */
  private static byte[] acl(byte[] value, HostIds ids) throws BadLayerException {
    ByteBuffer acl = ByteBuffer.wrap(value.clone()).order(ByteOrder.LITTLE_ENDIAN);
    if (value.length < ACL_HEADER_BYTES
        || acl.getInt(0) != ACL_VERSION
        || (value.length - ACL_HEADER_BYTES) % ACL_ENTRY_BYTES != 0) {
      throw new BadLayerException("has a malformed access control list");
    }
    for (int at = ACL_HEADER_BYTES; at < value.length; at += ACL_ENTRY_BYTES) {
      long id = acl.getInt(at + 4) & 0xFFFFFFFFL;
      switch (acl.getShort(at)) {
        case ACL_USER -> acl.putInt(at + 4, ids.user(id));
        case ACL_GROUP -> acl.putInt(at + 4, ids.group(id));
        default -> {
          // Entries of the owner, the group, the mask and others name nobody.
        }
      }
    }
    return acl.array();
  }
}
