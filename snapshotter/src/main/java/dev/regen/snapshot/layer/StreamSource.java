package dev.regen.snapshot.layer;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/** A tar stream that is plain, zstd or gzip, told apart by its first bytes. */
final class StreamSource implements TarSource {
  private static final int PIECE_BYTES = 256 << 10;
  private static final int MAGIC_BYTES = 4;

  /** The largest zstd window taken, 2^27 bytes; the same as the zstd command takes by itself. */
  private static final int WINDOW_LOG_MAX = 27;

  private final InputStream tar;
  private final Arena arena = Arena.ofShared();
  private final ByteBuffer piece = arena.allocate(PIECE_BYTES).asByteBuffer();
  private final byte[] bytes = new byte[PIECE_BYTES];

  /**
   * {@code stream} stays the caller's to close.
   *
   * @throws BadLayerException if it begins as neither
   */
  StreamSource(InputStream stream) throws IOException {
    PushbackInputStream start = new PushbackInputStream(new LeftOpen(stream), MAGIC_BYTES);
    byte[] magic = start.readNBytes(MAGIC_BYTES);
    start.unread(magic);
    this.tar = unpacked(start, magic);
  }

  private static InputStream unpacked(InputStream stream, byte[] magic) throws IOException {
    int first = number(magic);
    if (first == 0xFD2FB528 || (first & 0xFFFFFFF0) == 0x184D2A50) {
      ZstdInputStreamNoFinalizer zstd = new ZstdInputStreamNoFinalizer(stream);
      zstd.setLongMax(WINDOW_LOG_MAX);
      return zstd;
    }
    if ((first & 0xFFFF) == 0x8B1F) {
      try {
        return new GZIPInputStream(stream, PIECE_BYTES);
      } catch (EOFException | ZipException e) {
        throw new BadLayerException("it is no valid gzip stream: " + e.getMessage());
      }
    }
    return stream;
  }

  private static int number(byte[] magic) {
    int number = 0;
    for (int i = 0; i < magic.length; i++) {
      number |= (magic[i] & 0xFF) << (8 * i);
    }
    return number;
  }

  @Override
  public @Nullable ByteBuffer next() throws IOException {
    int length;
    try {
      length = tar.readNBytes(bytes, 0, bytes.length);
    } catch (EOFException e) {
      throw new BadLayerException("its compressed stream ends too early: truncated");
    } catch (ZipException | com.github.luben.zstd.ZstdIOException e) {
      throw new BadLayerException("its compressed stream is damaged: " + e.getMessage());
    }
    if (length == 0) {
      return null;
    }
    piece.clear();
    piece.put(bytes, 0, length).flip();
    return piece.duplicate();
  }

  @Override
  public void close() {
    arena.close();
    try {
      tar.close();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException("closing nothing but memory", e);
    }
  }

  private static final class LeftOpen extends FilterInputStream {
    private LeftOpen(InputStream stream) {
      super(stream);
    }

    @Override
    public void close() {
      // it is the caller's
    }
  }
}
