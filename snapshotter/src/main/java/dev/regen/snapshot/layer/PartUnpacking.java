package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.Whiteouts;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.chunk.ChunkReader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
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

  /** How far the work is, over all threads. */
  record Done(AtomicLong entries, AtomicLong tarBytes) {}

  /** Asked between entries and between pieces of a file; throws where the work is to end. */
  interface Pause {
    void check();
  }

  private final ChunkReader reader;
  private final List<Chunk> chunks;
  private final Fd root;
  private final MemberAttributes attributes;
  private final Done done;
  private final Pause pause;
  private final ChunkDecoder decoder;
  private final Arena arena = Arena.ofConfined();
  private final ByteBuffer piece;
  private List<EntryIndex.Entry> entries = List.of();
  private int at;

  /** {@code root} stays the caller's to close. */
  PartUnpacking(
      ChunkReader reader,
      List<Chunk> chunks,
      Fd root,
      MemberAttributes attributes,
      Done done,
      Pause pause) {
    this.reader = reader;
    this.chunks = chunks;
    this.root = root;
    this.attributes = attributes;
    this.done = done;
    this.pause = pause;
    this.decoder = new ChunkDecoder(reader, chunks);
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
    try (TarSource source = source(part);
        PartDirectories directories = new PartDirectories(root, attributes)) {
      TarReader tar = new TarReader(source, entries.size(), part.tarBytes());
      TreeBuilder tree = new TreeBuilder(root, attributes, directories, links::add);
      for (EntryIndex.Entry entry : entries) {
        pause.check();
        TarMember member = checked(entry, tar.next(), tar.headerOffset() + part.tarOffset());
        tree.add(member, tar, Holes.of(entry.holes()));
        at++;
        done.entries.incrementAndGet();
      }
      checkEnd(part, tar);
      return new Seams.Left(firstDirectory(), directories.unfinished(), links);
    } catch (RegenException.Damaged e) {
      throw new RegenException.Damaged(where() + e.getMessage());
    } catch (BadLayerException e) {
      throw new RegenException.BadInput("the archive is refused: " + e.getMessage());
    }
  }

  private TarSource source(Part part) {
    int count = part.untilChunk() - part.firstChunk();
    TarSource chunksOfPart =
        count > CHUNKS_WITHOUT_AHEAD
            ? new ChunkSource(reader, chunks, part.firstChunk(), part.untilChunk(), 1)
            : new OwnSource(part);
    return new WatchedSource(chunksOfPart);
  }

  private static TarMember checked(
      EntryIndex.Entry entry, @Nullable TarMember member, long headerOffset) throws IOException {
    if (member != null
        && headerOffset == entry.tarOffset()
        && member.sizeBytes() == entry.size()
        && Arrays.equals(member.path(), stored(entry))
        && fits(entry, member)) {
      return member;
    }
    throw new RegenException.Damaged(
        "the entry index does not fit its archive; run `regen verify --repair`");
  }

  private static boolean fits(EntryIndex.Entry entry, TarMember member) {
    return switch (entry.type()) {
      case FILE, WHITEOUT, OPAQUE -> member.type() == TarMember.Type.FILE;
      case DIRECTORY -> member.type() == TarMember.Type.DIRECTORY;
      case SYMLINK -> member.type() == TarMember.Type.SYMLINK;
      case CHARACTER_DEVICE -> member.type() == TarMember.Type.CHARACTER_DEVICE;
      case BLOCK_DEVICE -> member.type() == TarMember.Type.BLOCK_DEVICE;
      case FIFO -> member.type() == TarMember.Type.FIFO;
      // Whether the first name is there already must not depend on which thread is faster.
      case HARD_LINK ->
          member.type() == TarMember.Type.HARD_LINK
              && Arrays.equals(member.linkTarget(), Whiteouts.storedPath(entry.target()))
              && Paths.compare(entry.target(), entry.path()) < 0;
    };
  }

  /** The path that {@link EntryWriter} gives the entry in the tar stream. */
  private static byte[] stored(EntryIndex.Entry entry) {
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

  private static void checkEnd(Part part, TarReader tar) throws IOException {
    if (part.last()) {
      if (tar.next() != null) {
        throw new RegenException.Damaged("the archive goes on after its last entry");
      }
    } else if (EntryIndex.padded(tar.offsetBytes()) != part.tarBytes()) {
      throw new RegenException.Damaged("the entry index does not fit the archive's chunks");
    }
  }

  private List<byte[]> firstDirectory() throws BadLayerException {
    if (entries.isEmpty()) {
      return List.of();
    }
    EntryIndex.Entry first = entries.getFirst();
    MemberPath path = MemberPath.of(stored(first));
    return first.type() == EntryIndex.Type.DIRECTORY ? path.all() : path.parents();
  }

  private String where() {
    return at < entries.size() ? BadLayerException.shown(entries.get(at).path()) + ": " : "";
  }

  @Override
  public void close() {
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
      pause.check();
      ByteBuffer bytes = inner.next();
      done.tarBytes.addAndGet(bytes == null ? 0 : bytes.remaining());
      return bytes;
    }

    @Override
    public void close() {
      inner.close();
    }
  }
}
