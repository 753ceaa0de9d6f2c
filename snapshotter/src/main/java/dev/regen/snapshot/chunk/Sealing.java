package dev.regen.snapshot.chunk;

import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.crypt.Envelope;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.crypt.QueueKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of the chunks of one archive between compressing and their digest, and where they
 * are cut.
 */
public final class Sealing {
  /** Chunks are stored as they are, and cut as the format says. */
  public static final Sealing NONE = new Sealing(null, Cutting.PLAIN);

  private final @Nullable QueueKey key;
  private final Cutting cutting;

  private Sealing(@Nullable QueueKey key, Cutting cutting) {
    this.key = key;
    this.cutting = cutting;
  }

  /** Chunks are encrypted under {@code key}, and cut as it says. */
  public static Sealing under(QueueKey key) {
    long[] numbers = key.cutting(257);
    return new Sealing(key, new Cutting(Arrays.copyOf(numbers, 256), numbers[256]));
  }

  /**
   * Under the active key of {@code keys} if chunks are to be {@code encrypted}, {@link #NONE} if
   * not.
   *
   * @throws dev.regen.snapshot.RegenException.Refused if there is no active key
   */
  public static Sealing of(boolean encrypted, Keys keys) throws IOException {
    return encrypted ? under(keys.active()) : NONE;
  }

  /** Tells apart sealings that make other chunks of the same bytes. */
  public String id() {
    return key == null ? "" : key.id().hex();
  }

  public Cutting cutting() {
    return cutting;
  }

  /** The key that opens the chunks, null if none is needed. */
  public @Nullable KeyId keyId() {
    return key == null ? null : key.id();
  }

  /** Seals one chunk after another, keeping its memory for the next. For one thread. */
  public Sealer sealer() {
    return new Sealer(key);
  }

  /** See {@link #sealer}. */
  public static final class Sealer {
    private final @Nullable QueueKey key;
    private byte[] text = new byte[0];
    private byte[] sealed = new byte[0];

    private Sealer(@Nullable QueueKey key) {
      this.key = key;
    }

    /**
     * What is to be stored for a zstd frame; {@link ChunkReader} makes the frame of it again.
     *
     * @param frame from position to limit; the result may be the same bytes
     * @return good until the next call
     */
    public ByteBuffer sealed(ByteBuffer frame) {
      if (key == null) {
        return frame;
      }
      int length = frame.remaining();
      if (text.length < length) {
        text = new byte[length + length / 4];
        sealed = new byte[text.length + Envelope.OVERHEAD_BYTES];
      }
      frame.get(text, 0, length);
      return ByteBuffer.wrap(sealed, 0, Envelope.seal(key, text, length, sealed));
    }
  }
}
