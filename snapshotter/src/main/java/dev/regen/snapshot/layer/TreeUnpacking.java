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
  private static final long PROGRESS_ENTRIES = 512;
  private static final long PROGRESS_BYTES = 16 << 20;

  private final TarReader tar;
  private final Path target;
  private final HostIds ids;
  private final HoleIndex holes;
  private final Progress progress;
  private byte @Nullable [] last;
  private long toldBytes;

  TreeUnpacking(TarReader tar, Path target, HostIds ids, HoleIndex holes, Progress progress) {
    this.tar = tar;
    this.target = target.toAbsolutePath();
    this.ids = ids;
    this.holes = holes;
    this.progress = progress;
  }

  /** What must hold after the last member, while the tree can still be taken back. */
  interface Check {
    void run() throws IOException;
  }

  /**
   * Makes the tree.
   *
   * @throws RegenException.Refused if the target is there already; it is left alone
   * @throws RegenException.BadInput if the stream is not a layer that can be unpacked here
   * @throws IOException if reading or the file system fails; nothing of the target is left then
   */
  void run(Check atEnd) throws IOException {
    if (Fd.statIfThere(target) != null) {
      throw new RegenException.Refused(target + " is there already");
    }
    boolean whole = false;
    try {
      unpack();
      atEnd.run();
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
    try (Fd root = made();
        TreeBuilder tree = new TreeBuilder(root, ids)) {
      for (TarMember member = tar.next(); member != null; member = tar.next()) {
        last = member.path();
        boolean file = member.type() == TarMember.Type.FILE;
        tree.add(member, tar, file ? holes.of(member, tar.headerOffset()) : Holes.NONE);
        tell(false);
      }
      tree.finish();
      tell(true);
    }
  }

  private Fd made() throws IOException {
    Path parent = target.getParent();
    Path name = target.getFileName();
    if (parent == null || name == null) {
      throw new RegenException.Refused("the root directory is no target");
    }
    byte[] nameBytes = Fd.bytes(name.toString());
    try (Fd directory = Fd.directory(parent)) {
      directory.mkdirAt(nameBytes, ROOT_PERMISSIONS);
      return directory.openBeneath(nameBytes, Fd.RDONLY | Fd.DIRECTORY, 0);
    }
  }

  private void tell(boolean now) {
    boolean due =
        tar.members() % PROGRESS_ENTRIES == 0 || tar.offsetBytes() - toldBytes > PROGRESS_BYTES;
    if (now || due) {
      toldBytes = tar.offsetBytes();
      progress.advanced(tar.members(), tar.offsetBytes());
    }
  }

  private String refusal(BadLayerException e) {
    String where =
        last == null
            ? "at its start"
            : "entry " + tar.members() + ", " + BadLayerException.shown(last);
    return "the layer is refused: %s (%s, byte %d). Nothing outside %s was changed, and what was unpacked there is removed."
        .formatted(e.getMessage(), where, tar.offsetBytes(), target);
  }
}
