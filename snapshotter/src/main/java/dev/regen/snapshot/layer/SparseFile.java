package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Writes the content of one file and leaves holes where they belong.
 *
 * <p>Either the holes are told, and what the archive has there must be zeros; or, for an archive of
 * others, each {@value #BLOCK_BYTES} bytes of zeros become a hole.
 */
final class SparseFile {
  private static final int BLOCK_BYTES = 64 << 10;
  private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(BLOCK_BYTES).asReadOnlyBuffer();

  private final TarReader tar;
  private final long sizeBytes;
  private final @Nullable Holes holes;
  private final Fd file;
  private long offsetBytes;
  private long writtenTo;

  /** {@code holes} null: find them. */
  private SparseFile(TarReader tar, TarMember member, @Nullable Holes holes, Fd file) {
    this.tar = tar;
    this.sizeBytes = member.sizeBytes();
    this.holes = holes;
    this.file = file;
  }

  /** Writes the content of the reader's last member into the empty {@code file}. */
  static void write(TarReader tar, TarMember member, @Nullable Holes holes, Fd file)
      throws IOException {
    new SparseFile(tar, member, holes, file).run();
  }

  private void run() throws IOException {
    for (ByteBuffer piece = tar.content(); piece != null; piece = tar.content()) {
      if (holes != null) {
        writeAround(piece, holes);
      } else {
        writeAroundZeros(piece);
      }
    }
    if (writtenTo < sizeBytes) {
      file.truncate(sizeBytes);
    }
  }

  private void writeAround(ByteBuffer piece, Holes told) throws IOException {
    while (piece.hasRemaining()) {
      boolean hole = told.holds(offsetBytes);
      long until = Math.min(told.changesAfter(offsetBytes), sizeBytes);
      int length = (int) Math.min(piece.remaining(), until - offsetBytes);
      if (!hole) {
        put(piece, length);
      } else if (zeros(piece, length)) {
        pass(piece, length);
      } else {
        throw new BadLayerException(
            "its archive has data where the entry index says that there is a hole");
      }
    }
  }

  private void writeAroundZeros(ByteBuffer piece) throws IOException {
    while (piece.hasRemaining()) {
      int run = 0;
      int block = block(piece, 0);
      boolean hole = false;
      while (block > 0) {
        hole = sizeBytes >= BLOCK_BYTES && zeros(piece.slice(piece.position() + run, block), block);
        if (hole) {
          break;
        }
        run += block;
        block = block(piece, run);
      }
      put(piece, run);
      if (hole) {
        pass(piece, block);
      }
    }
  }

  /** How much of the piece from {@code run} on is within one aligned block of the file. */
  private int block(ByteBuffer piece, int run) {
    int inBlock = (int) ((offsetBytes + run) & (BLOCK_BYTES - 1));
    return Math.min(piece.remaining() - run, BLOCK_BYTES - inBlock);
  }

  private void put(ByteBuffer piece, int length) throws IOException {
    if (length == 0) {
      return;
    }
    file.pwrite(piece.slice(piece.position(), length), offsetBytes);
    pass(piece, length);
    writtenTo = offsetBytes;
  }

  private void pass(ByteBuffer piece, int length) {
    piece.position(piece.position() + length);
    offsetBytes += length;
  }

  private static boolean zeros(ByteBuffer piece, int length) {
    for (int at = 0; at < length; at += BLOCK_BYTES) {
      int part = Math.min(BLOCK_BYTES, length - at);
      if (piece.slice(piece.position() + at, part).mismatch(ZEROS.slice(0, part)) >= 0) {
        return false;
      }
    }
    return true;
  }
}
