package dev.regen.snapshot.layer;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** The plain files of a tar stream, one after the other; all else in it is passed over. */
public final class TarFiles implements AutoCloseable {
  private final StreamSource source;
  private final TarReader reader;
  private @Nullable TarMember file;

  /**
   * {@code stream} stays the caller's to close.
   *
   * @param entriesMax the most members, of any kind
   * @param bytesMax the most bytes of the stream
   */
  public TarFiles(InputStream stream, long entriesMax, long bytesMax) throws IOException {
    source = new StreamSource(stream);
    reader = new TarReader(source, entriesMax, bytesMax);
  }

  /**
   * Goes to the next file; what is left of the one before is skipped.
   *
   * @return false where the archive ends in order
   * @throws BadLayerException if it is damaged, too large, or ends early
   */
  public boolean next() throws IOException {
    do {
      file = reader.next();
    } while (file != null && file.type() != TarMember.Type.FILE);
    return file != null;
  }

  /** Its path as it stands in the archive. */
  public String name() {
    return new String(here().path(), StandardCharsets.UTF_8);
  }

  public long sizeBytes() {
    return here().sizeBytes();
  }

  /** The next piece of its content, good until the next call of any method; null at its end. */
  public @Nullable ByteBuffer content() throws IOException {
    return reader.content();
  }

  private TarMember here() {
    if (file == null) {
      throw new IllegalStateException("at no file");
    }
    return file;
  }

  @Override
  public void close() {
    source.close();
  }
}
