package dev.regen.snapshot;

/**
 * One zstd frame of a layer archive.
 *
 * @param digest of the stored bytes; the chunk's name
 * @param storedBytes length as stored
 * @param tarBytes length of the tar stream it holds
 */
public record Chunk(Digest digest, int storedBytes, int tarBytes) {
  /** The most a chunk may hold of the tar stream. */
  public static final int TAR_BYTES_MAX = 8 << 20;

  /** The most a chunk may take as stored; incompressible bytes grow a little. */
  public static final int STORED_BYTES_MAX = TAR_BYTES_MAX + (64 << 10);

  public Chunk {
    if (storedBytes < 1 || storedBytes > STORED_BYTES_MAX) {
      throw new IllegalArgumentException("chunk of " + storedBytes + " stored bytes");
    }
    if (tarBytes < 1 || tarBytes > TAR_BYTES_MAX) {
      throw new IllegalArgumentException("chunk of " + tarBytes + " tar bytes");
    }
  }
}
