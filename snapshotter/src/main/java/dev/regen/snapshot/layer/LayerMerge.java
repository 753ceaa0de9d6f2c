package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.overlay.Whiteouts;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes one layer of several: what they show together, without whiteouts, and without a byte of
 * what is hidden. Of equal layers it is equal bytes.
 *
 * <p>The layers are read twice, as streams: once for their headers alone, of which {@link
 * MergedTree} makes what there is in the end, and once for what that needs. So nothing is unpacked,
 * no root is needed, and memory is taken for names, of which there is a limit. Each file is written
 * where the lowest of the layers has it that it is of; its directories before it, and its hard
 * links behind it, of whichever name is left.
 *
 * <p>The streams are taken for hostile; what cannot be kept exactly is refused.
 */
public final class LayerMerge {
  private static final long BYTES_MAX = 1L << 40;
  private static final byte[] META = Fd.bytes(".wh..wh.");
  private static final byte[] ESCAPE = Fd.bytes(Whiteouts.ESCAPE);

  private final List<Layer> layers;
  private final MergedTree tree;
  private final List<List<MergedNode>> wanted;

  /** Reads a layer from its beginning. */
  @FunctionalInterface
  public interface Opener {
    InputStream open() throws IOException;
  }

  /** Who gets the merged tar; has used all bytes before it returns. */
  @FunctionalInterface
  public interface Sink {
    void take(ByteBuffer some) throws IOException;
  }

  /**
   * A layer that is to be merged.
   *
   * @param name for messages
   * @param plain the digest that its tar should have; null if nobody knows it
   * @param opener of the tar, plain or packed with gzip or zstd
   */
  public record Layer(String name, @Nullable Digest plain, Opener opener) {}

  private LayerMerge(List<Layer> layers, MergedTree tree) {
    this.layers = List.copyOf(layers);
    this.tree = tree;
    this.wanted = tree.byLayer(layers.size());
  }

  /**
   * Finds what layers make together, the lowest first.
   *
   * @throws BadLayerException naming the layer and the entry that cannot be merged
   * @throws RegenException.Damaged if a layer is another than its digest says
   */
  public static LayerMerge of(List<Layer> layers) throws IOException {
    return of(layers, MergedTree.NAMES_MAX);
  }

  static LayerMerge of(List<Layer> layers, int namesMax) throws IOException {
    MergedTree tree = new MergedTree(namesMax);
    for (int i = 0; i < layers.size(); i++) {
      tree.begin(i);
      Layer layer = layers.get(i);
      try (InputStream in = layer.opener().open();
          Hashed source = new Hashed(new StreamSource(in))) {
        TarReader tar = new TarReader(source, Archive.ENTRIES_MAX, BYTES_MAX);
        for (TarMember member = tar.next(); member != null; member = tar.next()) {
          add(tree, member, (int) tar.members());
        }
        source.check(layer);
      } catch (BadLayerException e) {
        throw new BadLayerException(layer.name() + ": " + e.getMessage());
      }
    }
    return new LayerMerge(layers, tree);
  }

  /** Writes the layer, once. */
  public void write(Sink sink) throws IOException {
    MergedWriter writer = new MergedWriter(sink);
    writer.directory(tree.root());
    for (int i = 0; i < layers.size(); i++) {
      List<MergedNode> names = wanted.get(i);
      if (!names.isEmpty()) {
        try (InputStream in = layers.get(i).opener().open();
            StreamSource source = new StreamSource(in)) {
          write(new TarReader(source, Archive.ENTRIES_MAX, BYTES_MAX), names, writer);
        }
      }
    }
    writer.end();
  }

  private static void write(TarReader tar, List<MergedNode> names, MergedWriter writer)
      throws IOException {
    int at = 0;
    while (at < names.size()) {
      TarMember member = tar.next();
      if (member == null) {
        throw new RegenException.Damaged("a layer has other entries than a moment ago");
      }
      int first = at;
      while (at < names.size() && names.get(at).member == tar.members()) {
        at++;
      }
      if (at > first && member.type() == TarMember.Type.DIRECTORY) {
        writer.directory(names.get(first));
      } else if (at > first) {
        writer.other(names.subList(first, at), member, tar);
      }
    }
  }

  private static void add(MergedTree tree, TarMember member, int number) throws BadLayerException {
    byte[] written = relative(member.path());
    if (isEnginesOwn(written)) {
      return;
    }
    MemberPath path = MemberPath.of(written);
    try {
      switch (path.kind()) {
        case DELETED -> tree.delete(path);
        case OPAQUE -> tree.opaque(path.parents());
        case ADDED -> add(tree, path, member, number);
      }
    } catch (BadLayerException e) {
      throw new BadLayerException(member.path(), String.valueOf(e.getMessage()));
    }
  }

  private static void add(MergedTree tree, MemberPath path, TarMember member, int number)
      throws BadLayerException {
    for (Xattr xattr : member.xattrs()) {
      if (XattrFilter.isOverlays(xattr.name())) {
        throw new BadLayerException("has an attribute of overlay's own, which may hide something");
      }
    }
    switch (member.type()) {
      case DIRECTORY ->
          tree.directory(
              path, number, new MergedNode.Facts(member.owner(), member.mtime(), member.xattrs()));
      case HARD_LINK -> tree.link(path, MemberPath.of(relative(member.linkTarget())));
      case CHARACTER_DEVICE -> {
        if (member.device() == Stat.device(0, 0)) {
          tree.remove(path); // It is what overlay deletes with.
        } else {
          tree.other(path, number);
        }
      }
      case FILE, SYMLINK, BLOCK_DEVICE, FIFO -> tree.other(path, number);
    }
  }

  /** Engines take a path that begins with a slash for one from the image's root. */
  private static byte[] relative(byte[] path) {
    int at = 0;
    while (at < path.length && path[at] == '/') {
      at++;
    }
    if (at > 0 && at == path.length) {
      return new byte[] {'.'};
    }
    return Arrays.copyOfRange(path, at, path.length);
  }

  /** What a long gone storage of Docker's (aufs) kept in layers, which all engines pass over. */
  private static boolean isEnginesOwn(byte[] path) {
    int from = path.length > 1 && path[0] == '.' && path[1] == '/' ? 2 : 0;
    byte[] rest = Arrays.copyOfRange(path, from, path.length);
    return startsWith(rest, META) && !startsWith(rest, ESCAPE) && !Whiteouts.isOpaqueEntry(rest);
  }

  private static boolean startsWith(byte[] text, byte[] start) {
    return text.length >= start.length
        && Arrays.equals(text, 0, start.length, start, 0, start.length);
  }

  /** A layer's tar, whose digest is made meanwhile. */
  private static final class Hashed implements TarSource {
    private final TarSource source;
    private final MessageDigest hasher = Digest.sha256();

    Hashed(TarSource source) {
      this.source = source;
    }

    @Override
    public @Nullable ByteBuffer next() throws IOException {
      ByteBuffer piece = source.next();
      if (piece != null) {
        hasher.update(piece.duplicate());
      }
      return piece;
    }

    void check(Layer layer) throws RegenException.Damaged {
      Digest is = Digest.of(hasher);
      if (layer.plain() != null && !is.equals(layer.plain())) {
        throw new RegenException.Damaged(
            "what the store has of "
                + layer.name()
                + " is another's ("
                + is
                + "): push the snapshot again, or its image");
      }
    }

    @Override
    public void close() {
      source.close();
    }
  }
}
