package dev.regen.snapshot.layer;

import dev.regen.runtime.overlay.Whiteouts;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Unpacks parts of an archive into a tree, one after the other, while other threads do so with
 * other parts. For one thread, which also closes it.
 *
 * <p>What the tar stream says must be what the entry index says: {@link Parts} has checked that
 * one, and which thread makes what depends on it.
 */
final class PartUnpacking implements AutoCloseable {
  /** A part of more chunks than this, a large file, has them unpacked ahead of the writing. */
  private static final int CHUNKS_WITHOUT_AHEAD = 4;

  private final Making making;
  private final List<Chunk> chunks;
  private final @Nullable TakeOver takeOver;
  private final ChunkDecoder decoder;
  private final Arena arena = Arena.ofConfined();
  private final ByteBuffer piece;
  private List<EntryIndex.Entry> entries = List.of();
  private int at;

  PartUnpacking(Making making) {
    this.making = making;
    this.chunks = making.chunks();
    this.takeOver =
        making.present() == null
            ? null
            : new TakeOver(making.present(), making.way(), making.ids());
    this.decoder = new ChunkDecoder(making.reader(), chunks);
    int largest = chunks.stream().mapToInt(Chunk::tarBytes).max().orElse(1);
    this.piece = arena.allocate(largest).asByteBuffer();
  }

  /**
   * Unpacks one part.
   *
   * @throws RegenException if its chunks or entries are damaged or may not be unpacked; names the
   *     path
   */
  Seams.Left unpack(Part part) throws IOException {
    entries = part.entries();
    at = 0;
    List<TarMember> links = new ArrayList<>();
    try (PartDirectories directories = new PartDirectories(making.root(), making.attributes())) {
      TreeBuilder tree =
          new TreeBuilder(making.root(), making.attributes(), directories, links::add);
      if (takeOver != null && isKnown(part)) {
        link(part, tree, takeOver);
      } else {
        write(part, tree);
      }
      return new Seams.Left(firstDirectory(), directories.unfinished(), links);
    } catch (RegenException.Damaged e) {
      throw new RegenException.Damaged(where() + e.getMessage());
    } catch (BadLayerException e) {
      throw new RegenException.BadInput("the archive is refused: " + e.getMessage());
    }
  }

  /** Attributes of directories stand in the tar stream alone; of files they come with a link. */
  private boolean isKnown(Part part) {
    return making.known().contains(chunks.subList(part.firstChunk(), part.untilChunk()))
        && part.entries().stream()
            .noneMatch(entry -> entry.hasXattrs() && entry.type() == EntryIndex.Type.DIRECTORY);
  }

  private void link(Part part, TreeBuilder tree, TakeOver from) throws IOException {
    TreeBuilder.Linking all =
        (parent, path, member) -> {
          from.linkKnown(parent, path, member);
          return true;
        };
    for (EntryIndex.Entry entry : entries) {
      making.pause().check();
      if (!making.same().hold(entry.path())) {
        tree.add(IndexedMember.of(entry), null, null, all);
      }
      passed();
    }
    making.tarBytes().addAndGet(part.tarBytes());
  }

  private void write(Part part, TreeBuilder tree) throws IOException {
    try (TarSource source = source(part)) {
      TarReader tar = new TarReader(source, entries.size(), part.tarBytes());
      for (EntryIndex.Entry entry : entries) {
        making.pause().check();
        TarMember member = checked(entry, tar.next(), tar.headerOffset() + part.tarOffset());
        if (!making.same().hold(entry.path())) {
          tree.add(member, tar, Holes.of(entry.holes()), linking(entry, tar));
        }
        passed();
      }
      checkEnd(part, tar);
    }
  }

  private TreeBuilder.Linking linking(EntryIndex.Entry entry, TarReader tar) {
    boolean plain = entry.type() == EntryIndex.Type.FILE && entry.holes().length == 0;
    ByteBuffer content = plain && takeOver != null ? tar.wholeContent() : null;
    return content == null || takeOver == null
        ? TreeBuilder.Linking.NONE
        : (parent, path, member) -> takeOver.linkIfSame(parent, path, member, content);
  }

  private void passed() {
    at++;
    making.entries().incrementAndGet();
  }

  private TarSource source(Part part) {
    int count = part.untilChunk() - part.firstChunk();
    TarSource chunksOfPart =
        count > CHUNKS_WITHOUT_AHEAD
            ? new ChunkSource(making.reader(), chunks, part.firstChunk(), part.untilChunk(), 1)
            : new OwnSource(part);
    return new WatchedSource(chunksOfPart);
  }

  private static TarMember checked(
      EntryIndex.Entry entry, @Nullable TarMember member, long headerOffset) throws IOException {
    if (member != null
        && headerOffset == entry.tarOffset()
        && member.sizeBytes() == entry.size()
        && Arrays.equals(member.path(), IndexedMember.storedPath(entry))
        && fits(entry, member)) {
      return member;
    }
    throw new RegenException.Damaged(
        "the entry index does not fit its archive; run `regen verify --repair`");
  }

  /** Whether a link's first name is there already must not depend on which thread is faster. */
  private static boolean fits(EntryIndex.Entry entry, TarMember member) {
    return member.type() == IndexedMember.type(entry.type())
        && (entry.type() != EntryIndex.Type.HARD_LINK
            || (Arrays.equals(member.linkTarget(), Whiteouts.storedPath(entry.target()))
                && Paths.compare(entry.target(), entry.path()) < 0));
  }

  private static void checkEnd(Part part, TarReader tar) throws IOException {
    if (part.last()) {
      if (tar.next() != null) {
        throw new RegenException.Damaged("the archive goes on after its last entry");
      }
    } else if (tar.endOffsetBytes() != part.tarBytes()) {
      throw new RegenException.Damaged("the entry index does not fit the archive's chunks");
    }
  }

  private List<byte[]> firstDirectory() throws BadLayerException {
    if (entries.isEmpty()) {
      return List.of();
    }
    EntryIndex.Entry first = entries.getFirst();
    MemberPath path = MemberPath.of(IndexedMember.storedPath(first));
    return first.type() == EntryIndex.Type.DIRECTORY ? path.all() : path.parents();
  }

  private String where() {
    return at < entries.size() ? BadLayerException.shown(entries.get(at).path()) + ": " : "";
  }

  @Override
  public void close() {
    if (takeOver != null) {
      takeOver.close();
    }
    decoder.close();
    arena.close();
  }

  /** The chunks of a part, unpacked by the thread that reads. */
  private final class OwnSource implements TarSource {
    private final int until;
    private int next;

    private OwnSource(Part part) {
      this.next = part.firstChunk();
      this.until = part.untilChunk();
    }

    @Override
    public @Nullable ByteBuffer next() throws IOException {
      if (next == until) {
        return null;
      }
      decoder.unpack(next++, piece);
      return piece.duplicate();
    }

    @Override
    public void close() {
      // The buffer serves all parts.
    }
  }

  /** Counts what was read, and ends where the work is to end. */
  private final class WatchedSource implements TarSource {
    private final TarSource inner;

    private WatchedSource(TarSource inner) {
      this.inner = inner;
    }

    @Override
    public @Nullable ByteBuffer next() throws IOException {
      making.pause().check();
      ByteBuffer bytes = inner.next();
      making.tarBytes().addAndGet(bytes == null ? 0 : bytes.remaining());
      return bytes;
    }

    @Override
    public void close() {
      inner.close();
    }
  }
}
