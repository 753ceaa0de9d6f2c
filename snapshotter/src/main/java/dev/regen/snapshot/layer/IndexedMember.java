package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.Whiteouts;
import java.util.List;

/** What the tar stream says of an entry, as far as the entry index tells it. */
final class IndexedMember {
  private IndexedMember() {}

  /** The member without its extended attributes. */
  static TarMember of(EntryIndex.Entry entry) {
    return new TarMember(
        storedPath(entry),
        type(entry.type()),
        entry.type() == EntryIndex.Type.HARD_LINK
            ? Whiteouts.storedPath(entry.target())
            : entry.target(),
        new TarMember.Owner(entry.uid(), entry.gid(), entry.mode()),
        entry.size(),
        entry.mtime(),
        entry.rdev(),
        List.of());
  }

  /** The type that the entry has in the tar stream. */
  static TarMember.Type type(EntryIndex.Type type) {
    return switch (type) {
      case FILE, WHITEOUT, OPAQUE -> TarMember.Type.FILE;
      case DIRECTORY -> TarMember.Type.DIRECTORY;
      case SYMLINK -> TarMember.Type.SYMLINK;
      case HARD_LINK -> TarMember.Type.HARD_LINK;
      case CHARACTER_DEVICE -> TarMember.Type.CHARACTER_DEVICE;
      case BLOCK_DEVICE -> TarMember.Type.BLOCK_DEVICE;
      case FIFO -> TarMember.Type.FIFO;
    };
  }

  /** The path that {@link EntryWriter} gives the entry in the tar stream. */
  static byte[] storedPath(EntryIndex.Entry entry) {
    byte[] path = entry.path();
    return switch (entry.type()) {
      case DIRECTORY ->
          Paths.below(path.length == 0 ? Fd.bytes(".") : Whiteouts.storedPath(path), new byte[0]);
      case OPAQUE -> Paths.below(Whiteouts.storedPath(path), Fd.bytes(Whiteouts.OPAQUE_ENTRY));
      case WHITEOUT ->
          Paths.below(
              Whiteouts.storedPath(Paths.parent(path)), Whiteouts.deletion(Paths.name(path)));
      case FILE, SYMLINK, HARD_LINK, CHARACTER_DEVICE, BLOCK_DEVICE, FIFO ->
          Whiteouts.storedPath(path);
    };
  }
}
