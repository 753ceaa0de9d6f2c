package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Unpacks a tar stream into a new directory: the tree is there whole, or not at all. */
final class TreeUnpacking {
  private static final int ROOT_PERMISSIONS = 0755;

  private final TarReader tar;
  private final Path target;
  private final HostIds ids;
  private byte @Nullable [] last;

  TreeUnpacking(TarReader tar, Path target, HostIds ids) {
    this.tar = tar;
    this.target = target.toAbsolutePath();
    this.ids = ids;
  }

  /**
   * Makes the tree.
   *
   * @throws RegenException.Refused if the target is there already; it is left alone
   * @throws RegenException.BadInput if the stream is not a layer that can be unpacked here
   * @throws IOException if reading or the file system fails; nothing of the target is left then
   */
  void run() throws IOException {
    NewTree.refuseIfThere(target);
    boolean whole = false;
    try {
      unpack();
      whole = true;
    } catch (BadLayerException e) {
      throw new RegenException.BadInput(refusal(e));
    } finally {
      if (!whole) {
        TreeRemoval.remove(target);
      }
    }
  }

  private void unpack() throws IOException {
    try (Fd root = NewTree.make(target, ROOT_PERMISSIONS);
        TreeBuilder tree = new TreeBuilder(root, ids)) {
      for (TarMember member = tar.next(); member != null; member = tar.next()) {
        last = member.path();
        tree.add(member, tar, null);
      }
      tree.finish();
    }
  }

  private String refusal(BadLayerException e) {
    String where =
        last == null
            ? ""
            : " (entry %d, %s, byte %d)"
                .formatted(tar.members(), BadLayerException.shown(last), tar.offsetBytes());
    return refusal(e.getMessage() + where);
  }

  /** For a person; the target was under a name that says nothing to him. */
  static String refusal(String why) {
    return "the layer is refused: " + why + "; nothing was changed";
  }
}
