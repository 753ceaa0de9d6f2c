package dev.regen.snapshot.layer;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.chunk.ChunkReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/** Writes a layer archive out as one OCI layer. */
public final class LayerExport {
  private static final int WORKERS = 2;
  private static final int PIECE_BYTES = 256 << 10;

  private final ChunkReader reader;

  public LayerExport(ChunkReader reader) {
    this.reader = reader;
  }

  /** How the layer is written. */
  public enum Form {
    /** {@code application/vnd.oci.image.layer.v1.tar} */
    TAR,
    /** {@code application/vnd.oci.image.layer.v1.tar+zstd}: the chunks one after the other. */
    STORED
  }

  /**
   * Writes all of the archive and leaves {@code out} open.
   *
   * @throws RegenException.Damaged if a chunk is missing or not what its digest says; what came
   *     before it has been written then
   */
  public void write(Archive archive, Form form, OutputStream out) throws IOException {
    switch (form) {
      case TAR -> tar(archive, out);
      case STORED -> stored(archive, out);
    }
  }

  private void tar(Archive archive, OutputStream out) throws IOException {
    byte[] bytes = new byte[PIECE_BYTES];
    try (ChunkSource source = new ChunkSource(reader, archive.chunks(), WORKERS)) {
      for (ByteBuffer piece = source.next(); piece != null; piece = source.next()) {
        while (piece.hasRemaining()) {
          int length = Math.min(bytes.length, piece.remaining());
          piece.get(bytes, 0, length);
          out.write(bytes, 0, length);
        }
      }
    }
  }

  private void stored(Archive archive, OutputStream out) throws IOException {
    int index = 0;
    for (Chunk chunk : archive.chunks()) {
      index++;
      try {
        out.write(reader.frame(chunk));
      } catch (RegenException.Damaged e) {
        throw new RegenException.Damaged(
            "chunk %d of %d (%s): %s"
                .formatted(index, archive.chunks().size(), chunk.digest(), e.getMessage()));
      }
    }
  }
}
