package dev.regen.snapshot.layer;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Gives a file that was just made the owner, permissions, attributes and times of its member. */
final class MemberAttributes {
  private static final byte[] HERE = Fd.bytes(".");

  private static final int WHILE_OPEN = 0600;
  private static final int CREATED_WITH = 0777;

  /**
   * What a thing has that was just made, whatever directory of the tree it was made in: so that
   * what is right already need not be set.
   *
   * @param umask permissions that nothing is made with
   */
  record Fresh(int uid, int gid, int umask) {}

  private final HostIds ids;
  private final @Nullable Fresh fresh;

  /** {@code fresh} null: nothing is known of what was just made, and everything is set. */
  MemberAttributes(HostIds ids, @Nullable Fresh fresh) {
    this.ids = ids;
    this.fresh = fresh;
  }

  /** The permissions to make a file with: its own if that is all it takes. */
  int creationMode(TarMember member) {
    int permissions = member.owner().permissions();
    boolean exact =
        fresh != null && (permissions & ~CREATED_WITH) == 0 && (permissions & fresh.umask) == 0;
    return exact ? permissions : WHILE_OPEN;
  }

  /** {@link #apply}, for a file that is open and was made with {@link #creationMode}. */
  void applyToFile(Fd file, Fd parent, byte[] name, TarMember member, int madeWith)
      throws IOException {
    TarMember.Owner owner = member.owner();
    int uid = ids.user(owner.uid());
    int gid = ids.group(owner.gid());
    if (!isFresh(uid, gid)) {
      file.chown(uid, gid);
    }
    for (Xattr xattr : member.xattrs()) {
      set(parent, name, xattr);
    }
    if (madeWith != owner.permissions() || !member.xattrs().isEmpty()) {
      file.chmod(owner.permissions());
    }
    file.touch(member.mtime());
  }

  private boolean isFresh(int uid, int gid) {
    return fresh != null && fresh.uid == uid && fresh.gid == gid;
  }

  /**
   * Applies them to {@code name} in {@code parent}, which is what the member's type says.
   *
   * <p>In this order, since {@code chown} takes setuid and file capabilities away, an ACL changes
   * the permissions, and everything changes times.
   */
  void apply(Fd parent, byte[] name, TarMember member) throws IOException {
    TarMember.Owner owner = member.owner();
    int uid = ids.user(owner.uid());
    int gid = ids.group(owner.gid());
    if (!isFresh(uid, gid)) {
      parent.chownAt(name, uid, gid);
    }
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
