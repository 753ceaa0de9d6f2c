package dev.regen.snapshot.chunk;

import java.nio.ByteBuffer;

/** What becomes of the chunks of one archive before they are stored, and where they are cut. */
public final class Sealing {
  /** Chunks are stored as they are, and cut as the format says. */
  public static final Sealing NONE = new Sealing(Cutting.PLAIN);

  private final Cutting cutting;

  private Sealing(Cutting cutting) {
    this.cutting = cutting;
  }

  /** Tells apart sealings that make other chunks of the same bytes. */
  public String id() {
    return "";
  }

  public Cutting cutting() {
    return cutting;
  }

  /**
   * What is to be stored for a zstd frame, which is what {@link ChunkReader} gives back.
   *
   * @param frame from position to limit; not to be changed before the result is done with
   */
  ByteBuffer sealed(ByteBuffer frame) {
    return frame;
  }
}
