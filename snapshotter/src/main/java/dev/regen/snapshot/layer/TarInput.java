package dev.regen.snapshot.layer;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a tar stream in their order, counted and limited. The memory is the source's; a
 * stream that ends early, or is too long, is refused.
 */
final class TarInput {
  static final String NO_TAR = "it is no tar (plain, or packed with zstd or gzip)";

  private final TarSource source;
  private final long bytesMax;
  private ByteBuffer piece = ByteBuffer.allocate(0);
  private long offsetBytes;

  TarInput(TarSource source, long bytesMax) {
    this.source = source;
    this.bytesMax = bytesMax;
  }

  /** How many bytes have been read. */
  long offsetBytes() {
    return offsetBytes;
  }

  /**
   * The next {@code length} bytes, not read by this; null unless they are in memory in one piece.
   */
  @Nullable ByteBuffer peek(long length) {
    return length <= piece.remaining() ? piece.slice(piece.position(), (int) length) : null;
  }

  /** Some of the next bytes, at least 1 and at most {@code most}, good until the next call. */
  ByteBuffer some(long most) throws IOException {
    fill();
    int length = (int) Math.min(most, piece.remaining());
    ByteBuffer part = piece.slice(piece.position(), length);
    consume(length);
    return part;
  }

  void readFully(byte[] into, int length) throws IOException {
    int at = 0;
    while (at < length) {
      ByteBuffer part = some(length - at);
      int count = part.remaining();
      part.get(into, at, count);
      at += count;
    }
  }

  void skip(long length) throws IOException {
    long left = length;
    while (left > 0) {
      left -= some(left).remaining();
    }
  }

  /**
   * Reads to the end of the stream.
   *
   * @throws BadLayerException if there is more than {@code most} zeros
   */
  void padding(long most) throws IOException {
    long padding = 0;
    while (fillIfThere()) {
      padding += piece.remaining();
      if (padding > most) {
        throw new BadLayerException("it goes on after its end");
      }
      while (piece.hasRemaining()) {
        if (piece.get() != 0) {
          throw new BadLayerException("there is more after its end, which is no tar");
        }
        offsetBytes++;
      }
    }
  }

  private void consume(int length) throws BadLayerException {
    piece.position(piece.position() + length);
    offsetBytes += length;
    if (offsetBytes > bytesMax) {
      throw new BadLayerException("it is larger than the limit of " + bytesMax + " bytes");
    }
  }

  private void fill() throws IOException {
    if (!fillIfThere()) {
      throw new BadLayerException(
          offsetBytes < TarBlock.BYTES ? NO_TAR : "it ends too early: truncated");
    }
  }

  private boolean fillIfThere() throws IOException {
    while (!piece.hasRemaining()) {
      ByteBuffer following = source.next();
      if (following == null) {
        return false;
      }
      piece = following;
    }
    return true;
  }
}
