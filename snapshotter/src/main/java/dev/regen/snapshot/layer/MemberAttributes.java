package dev.regen.snapshot.layer;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Gives a file that was just made the owner, permissions, attributes and times of its member. */
final class MemberAttributes {
  private static final byte[] HERE = Fd.bytes(".");

  private final HostIds ids;

  MemberAttributes(HostIds ids) {
    this.ids = ids;
  }

  /**
   * Applies them to {@code name} in {@code parent}, which is what the member's type says.
   *
   * <p>In this order, since {@code chown} takes setuid and file capabilities away, an ACL changes
   * the permissions, and everything changes times.
   */
  void apply(Fd parent, byte[] name, TarMember member) throws IOException {
    TarMember.Owner owner = member.owner();
    parent.chownAt(name, ids.user(owner.uid()), ids.group(owner.gid()));
    for (Xattr xattr : member.xattrs()) {
      set(parent, name, xattr);
    }
    if (member.type() != TarMember.Type.SYMLINK) {
      parent.chmodAt(name, owner.permissions());
    }
    parent.touchAt(name, member.mtime());
  }

  /**
   * Applies them to an open directory; {@code anew}: it may have attributes of an earlier entry.
   */
  void applyToDirectory(Fd directory, TarMember member, boolean anew) throws IOException {
    if (anew) {
      for (byte[] name : directory.xattrNamesAt(HERE)) {
        String text = new String(name, StandardCharsets.ISO_8859_1);
        if (text.startsWith("user.") || text.startsWith("system.posix_acl")) {
          directory.removeXattrAt(HERE, name);
        }
      }
    }
    apply(directory, HERE, member);
  }

  /**
   * Whether all of a member's attributes may be set; asked before its content is written.
   *
   * @throws BadLayerException naming the one that may not
   */
  void check(TarMember member) throws BadLayerException {
    ids.user(member.owner().uid());
    ids.group(member.owner().gid());
    List<String> seen = new ArrayList<>();
    for (Xattr xattr : member.xattrs()) {
      AllowedXattrs.value(xattr, ids);
      String name = new String(xattr.name(), StandardCharsets.ISO_8859_1);
      if (name.equals(AllowedXattrs.CAPABILITY) && member.type() != TarMember.Type.FILE) {
        throw new BadLayerException("has a file capability, and is no file");
      }
      seen.add(name);
    }
    if (seen.stream().distinct().count() != seen.size()) {
      throw new BadLayerException("has an extended attribute twice");
    }
  }

  private void set(Fd parent, byte[] name, Xattr xattr) throws IOException {
    try {
      parent.setXattrAt(name, xattr.name(), AllowedXattrs.value(xattr, ids));
    } catch (ErrnoException e) {
      throw new IOException(
          "the extended attribute "
              + BadLayerException.shown(xattr.name())
              + " cannot be set here: "
              + e.getMessage(),
          e);
    }
  }
}
