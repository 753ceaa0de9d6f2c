package dev.regen.snapshot.layer;

import dev.regen.runtime.overlay.Whiteouts;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Where a member of a layer belongs in its tree, and whether it deletes instead of adding.
 *
 * <p>All names are single components of at most {@link #NAME_BYTES_MAX} bytes, none of them {@code
 * .} or {@code ..}.
 */
final class MemberPath {
  /** What a member does to the tree. */
  enum Kind {
    ADDED,
    /** It deletes a name of the layers below. */
    DELETED,
    /** It hides all that the layers below have in its directory. */
    OPAQUE
  }

  static final int PATH_BYTES_MAX = 64 << 10;
  static final int NAME_BYTES_MAX = 255;

  private final Kind kind;
  private final List<byte[]> parents;
  private final byte[] name;

  private MemberPath(Kind kind, List<byte[]> parents, byte[] name) {
    this.kind = kind;
    this.parents = parents;
    this.name = name;
  }

  /**
   * Reads the path of a member.
   *
   * @throws BadLayerException if it is absolute, leads upwards, is too long, or has a name that
   *     means something only to overlay or to other tools
   */
  static MemberPath of(byte[] path) throws BadLayerException {
    List<byte[]> names = names(path);
    if (names.isEmpty()) {
      return new MemberPath(Kind.ADDED, List.of(), new byte[0]);
    }
    byte[] last = names.removeLast();
    List<byte[]> parents = new ArrayList<>(names.size());
    for (byte[] parent : names) {
      parents.add(real(path, parent));
    }
    if (Whiteouts.isOpaqueEntry(last)) {
      return new MemberPath(Kind.OPAQUE, parents, new byte[0]);
    }
    if (Whiteouts.isDeletion(last)) {
      return new MemberPath(Kind.DELETED, parents, deleted(path, last));
    }
    return new MemberPath(Kind.ADDED, parents, real(path, last));
  }

  /** What the member does. */
  Kind kind() {
    return kind;
  }

  /** The names of the directories that lead to it, from the root of the tree. */
  List<byte[]> parents() {
    return parents;
  }

  /**
   * Its own name; empty for the root, and for {@link Kind#OPAQUE}, which is about its directory.
   */
  byte[] name() {
    return name;
  }

  /** Whether it is the root of the tree itself. */
  boolean isRoot() {
    return kind == Kind.ADDED && name.length == 0;
  }

  /** {@link #parents} and {@link #name}. */
  List<byte[]> all() {
    List<byte[]> all = new ArrayList<>(parents);
    all.add(name);
    return all;
  }

  private static List<byte[]> names(byte[] path) throws BadLayerException {
    if (path.length == 0) {
      throw new BadLayerException("an entry has no name");
    }
    if (path.length > PATH_BYTES_MAX) {
      throw new BadLayerException(path, "its path is longer than " + PATH_BYTES_MAX + " bytes");
    }
    if (path[0] == '/') {
      throw new BadLayerException(path, "its path is absolute; paths in a layer are relative");
    }
    List<byte[]> names = new ArrayList<>();
    int start = 0;
    for (int i = 0; i <= path.length; i++) {
      if (i < path.length && path[i] == 0) {
        throw new BadLayerException(path, "its path holds a zero byte");
      }
      if (i == path.length || path[i] == '/') {
        addName(path, start, i, names);
        start = i + 1;
      }
    }
    return names;
  }

  private static void addName(byte[] path, int start, int end, List<byte[]> names)
      throws BadLayerException {
    byte[] name = Arrays.copyOfRange(path, start, end);
    if (name.length == 0 || isDots(name, 1)) {
      return;
    }
    if (isDots(name, 2)) {
      throw new BadLayerException(path, "its path leads upwards (..)");
    }
    names.add(name);
  }

  private static byte[] deleted(byte[] path, byte[] last) throws BadLayerException {
    byte[] name = Whiteouts.deleted(last);
    byte[] again = Whiteouts.deletion(name);
    if (name.length == 0 || isDots(name, 1) || isDots(name, 2) || !Arrays.equals(again, last)) {
      throw new BadLayerException(path, "is a whiteout of no possible name");
    }
    return checkedLength(path, name);
  }

  private static byte[] real(byte[] path, byte[] stored) throws BadLayerException {
    byte[] name = Whiteouts.real(stored);
    if (!Arrays.equals(Whiteouts.stored(name), stored)) {
      throw new BadLayerException(path, "has a name of a whiteout where none can be");
    }
    return checkedLength(path, name);
  }

  private static byte[] checkedLength(byte[] path, byte[] name) throws BadLayerException {
    if (name.length > NAME_BYTES_MAX) {
      throw new BadLayerException(path, "a name in its path is longer than 255 bytes");
    }
    return name;
  }

  private static boolean isDots(byte[] name, int count) {
    for (byte b : name) {
      if (b != '.') {
        return false;
      }
    }
    return name.length == count;
  }
}
