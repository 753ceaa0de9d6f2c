package dev.regen.snapshot.layer;

import dev.regen.runtime.overlay.Whiteouts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Writes what is left of layers as a tar: each directory before what is in it. */
final class MergedWriter {
  private final LayerMerge.Sink sink;
  private final TarHeader header = new TarHeader();

  MergedWriter(LayerMerge.Sink sink) {
    this.sink = sink;
  }

  /** A directory and those that it is in, of which nothing is written if they have been. */
  void directory(@Nullable MergedNode last) throws IOException {
    List<MergedNode> left = new ArrayList<>();
    for (MergedNode node = last; node != null; node = node.parent()) {
      MergedNode.Directory directory = node.directory;
      if (directory == null || directory.isWritten) {
        break;
      }
      left.add(node);
    }
    for (MergedNode node : left.reversed()) {
      MergedNode.Directory directory = node.directory;
      if (directory != null) {
        directory.isWritten = true;
        MergedNode.Facts facts = directory.facts;
        if (facts != null) { // else whoever unpacks it makes it as he does in the layers
          write(node, facts);
        }
      }
    }
  }

  /** What is no directory, under all of its names; a link bears what its first name has. */
  void other(List<MergedNode> names, TarMember member, TarReader tar) throws IOException {
    MergedNode first = names.getFirst();
    directory(first.parent());
    byte[] path = path(first);
    byte[] link = member.type() == TarMember.Type.SYMLINK ? member.linkTarget() : new byte[0];
    build(type(member), path, link, member, member.sizeBytes(), member.device());
    for (ByteBuffer some = tar.content(); some != null; some = tar.content()) {
      sink.take(some);
    }
    zeros((int) (-member.sizeBytes() & (TarBlock.BYTES - 1)));
    for (MergedNode further : names.subList(1, names.size())) {
      directory(further.parent());
      build(TarHeader.HARD_LINK, path(further), path, member, 0, 0);
    }
  }

  /** The archive's end. */
  void end() throws IOException {
    zeros(2 * TarBlock.BYTES);
  }

  private void write(MergedNode node, MergedNode.Facts facts) throws IOException {
    byte[] path = node.parent() == null ? new byte[] {'.'} : path(node);
    header.build(
        new TarHeader.Member(
            TarHeader.DIRECTORY,
            Paths.below(path, new byte[0]),
            new byte[0],
            facts.owner().permissions(),
            facts.owner().uid(),
            facts.owner().gid(),
            facts.mtime(),
            0,
            0,
            facts.xattrs()));
    sink.take(ByteBuffer.wrap(header.bytes(), 0, header.length()));
  }

  private void build(
      byte type, byte[] path, byte[] link, TarMember member, long sizeBytes, long device)
      throws IOException {
    TarMember.Owner owner = member.owner();
    header.build(
        new TarHeader.Member(
            type,
            path,
            link,
            owner.permissions(),
            owner.uid(),
            owner.gid(),
            member.mtime(),
            sizeBytes,
            device,
            // Of a link too: some engines set its owner anew, which takes file capabilities away.
            member.xattrs()));
    sink.take(ByteBuffer.wrap(header.bytes(), 0, header.length()));
  }

  private void zeros(int count) throws IOException {
    if (count > 0) {
      sink.take(ByteBuffer.allocate(count));
    }
  }

  private static byte type(TarMember member) {
    return switch (member.type()) {
      case FILE -> TarHeader.FILE;
      case HARD_LINK -> TarHeader.HARD_LINK;
      case SYMLINK -> TarHeader.SYMLINK;
      case CHARACTER_DEVICE -> TarHeader.CHARACTER_DEVICE;
      case BLOCK_DEVICE -> TarHeader.BLOCK_DEVICE;
      case DIRECTORY -> TarHeader.DIRECTORY;
      case FIFO -> TarHeader.FIFO;
    };
  }

  /** As an archive names it. */
  private static byte[] path(MergedNode node) {
    List<byte[]> names = new ArrayList<>();
    int length = -1;
    for (MergedNode at = node; at != null && at.parent() != null; at = at.parent()) {
      byte[] name = Whiteouts.stored(at.name());
      names.add(name);
      length += name.length + 1;
    }
    byte[] path = new byte[length];
    int at = 0;
    for (byte[] name : names.reversed()) {
      if (at > 0) {
        path[at++] = '/';
      }
      System.arraycopy(name, 0, path, at, name.length);
      at += name.length;
    }
    return path;
  }
}
