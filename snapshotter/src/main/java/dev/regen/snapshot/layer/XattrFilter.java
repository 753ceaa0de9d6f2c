package dev.regen.snapshot.layer;

import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which extended attributes go into an archive, and how: {@code user.*}, file capabilities and
 * POSIX ACLs, ids in them as the container sees them. Overlay's own stay behind, and so do labels
 * of the host; what else there is, is counted as omitted.
 */
final class XattrFilter {
  /** All attributes of one file together. */
  static final int BYTES_MAX = 1 << 20;

  private static final String CAPABILITY = "security.capability";
  private static final String ACL_ACCESS = "system.posix_acl_access";
  private static final String ACL_DEFAULT = "system.posix_acl_default";
  private static final Set<String> HOST_LABELS =
      Set.of("security.selinux", "security.ima", "security.evm", "security.apparmor");
  private static final List<String> UNARCHIVABLE = List.of("redirect", "metacopy");
  private static final List<String> OVERLAY = List.of("trusted.overlay.", "user.overlay.");

  private static final int REVISION_MASK = 0xFF000000;
  private static final int REVISION_2 = 0x02000000;
  private static final int REVISION_3 = 0x03000000;
  private static final int V2_BYTES = 20;
  private static final int V3_BYTES = 24;
  private static final int ACL_HEADER_BYTES = 4;
  private static final int ACL_ENTRY_BYTES = 8;
  private static final int ACL_USER = 2;
  private static final int ACL_GROUP = 8;

  private final IdMap users;
  private final IdMap groups;
  private final Omissions omissions;

  XattrFilter(IdMap users, IdMap groups, Omissions omissions) {
    this.users = users;
    this.groups = groups;
    this.omissions = omissions;
  }

  /** Reads an attribute's value, null where it is gone. */
  interface Values {
    byte @Nullable [] of(byte[] name) throws IOException;
  }

  /** What is kept of the attributes of {@code path}, in byte order of names. */
  List<Xattr> kept(byte[] path, List<byte[]> names, Values values) throws IOException {
    if (names.isEmpty()) {
      return List.of();
    }
    List<byte[]> sorted = new ArrayList<>(names);
    sorted.sort(Arrays::compareUnsigned);
    List<Xattr> kept = new ArrayList<>();
    long bytes = 0;
    for (byte[] name : sorted) {
      String text = new String(name, StandardCharsets.UTF_8);
      if (!isKept(path, text)) {
        continue;
      }
      byte[] value = values.of(name);
      if (value == null) {
        throw TreeChanged.at(path, "has lost the attribute " + text);
      }
      kept.add(new Xattr(name, translated(path, text, value)));
      bytes += name.length + value.length;
    }
    if (bytes > BYTES_MAX) {
      throw new RegenException.Refused(
          Paths.shown(path) + " has more than 1 MiB of extended attributes; exclude it");
    }
    return kept;
  }

  /** Whether overlay keeps its own notes in the attribute. */
  static boolean isOverlays(byte[] name) {
    String text = new String(name, StandardCharsets.UTF_8);
    return OVERLAY.stream().anyMatch(text::startsWith);
  }

  private boolean isKept(byte[] path, String name) throws RegenException {
    for (String prefix : OVERLAY) {
      if (name.startsWith(prefix)) {
        refuseUnarchivable(path, name, name.substring(prefix.length()));
        return false;
      }
    }
    if (name.startsWith("user.")
        || name.equals(CAPABILITY)
        || name.equals(ACL_ACCESS)
        || name.equals(ACL_DEFAULT)) {
      return true;
    }
    if (!HOST_LABELS.contains(name)) {
      omissions.add("attribute " + name + " of " + Paths.shown(path));
    }
    return false;
  }

  private static void refuseUnarchivable(byte[] path, String name, String last)
      throws RegenException {
    if (UNARCHIVABLE.contains(last)) {
      throw new RegenException.Refused(
          Paths.shown(path)
              + " has the attribute "
              + name
              + ": it holds only a part of what the container saw. Mount overlay without "
              + "redirect_dir and metacopy");
    }
  }

  private byte[] translated(byte[] path, String name, byte[] value) throws RegenException {
    return switch (name) {
      case CAPABILITY -> capability(path, value);
      case ACL_ACCESS, ACL_DEFAULT -> acl(path, value);
      default -> value;
    };
  }

  /** {@code struct vfs_ns_cap_data}: the third form names the root user it is good for. */
  private byte[] capability(byte[] path, byte[] value) throws RegenException {
    ByteBuffer in = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    if (value.length != V3_BYTES || (in.getInt(0) & REVISION_MASK) != REVISION_3) {
      return value;
    }
    long root = inside(path, users, "user", in.getInt(V2_BYTES));
    byte[] out = root == 0 ? Arrays.copyOf(value, V2_BYTES) : value.clone();
    ByteBuffer changed = ByteBuffer.wrap(out).order(ByteOrder.LITTLE_ENDIAN);
    if (root == 0) {
      changed.putInt(0, (in.getInt(0) & ~REVISION_MASK) | REVISION_2);
    } else {
      changed.putInt(V2_BYTES, (int) root);
    }
    return out;
  }

  /** {@code struct posix_acl_xattr_header} and entries: tag, permissions, id. */
  private byte[] acl(byte[] path, byte[] value) throws RegenException {
    byte[] out = value.clone();
    ByteBuffer entries = ByteBuffer.wrap(out).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = ACL_HEADER_BYTES; at + ACL_ENTRY_BYTES <= out.length; at += ACL_ENTRY_BYTES) {
      int id = entries.getInt(at + 4);
      switch (entries.getShort(at)) {
        case ACL_USER -> entries.putInt(at + 4, (int) inside(path, users, "user", id));
        case ACL_GROUP -> entries.putInt(at + 4, (int) inside(path, groups, "group", id));
        default -> {
          // The others name nobody.
        }
      }
    }
    return out;
  }

  /** The container's number for an id of the host. */
  static long inside(byte[] path, IdMap map, String kind, int id) throws RegenException {
    long host = id & 0xFFFFFFFFL;
    long inside = map.inside(host);
    if (inside < 0) {
      throw new RegenException.Refused(
          Paths.shown(path)
              + " belongs to the "
              + kind
              + " "
              + host
              + " of the host, which the container's id mapping does not have; change its owner "
              + "or exclude it");
    }
    return inside;
  }
}
