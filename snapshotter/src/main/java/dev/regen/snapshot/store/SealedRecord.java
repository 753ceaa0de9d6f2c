package dev.regen.snapshot.store;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * A JSON file that tells if one of its bytes has changed: {@code {"version": 1, "digest":
 * "sha256:…", "content": {…}}}, the digest being that of the content as it is written.
 */
public final class SealedRecord {
  /** In a short one; in a long one they are digests, of 64 characters each. */
  private static final long VALUES_MAX = 200_000;

  private static final int VALUE_BYTES_MIN = 48;

  private SealedRecord() {}

  /** The file's bytes for {@code content}. */
  public static byte[] seal(long version, JsonObject content) {
    return new JsonObject()
        .with("version", version)
        .with("digest", digest(content).toString())
        .with("content", content)
        .bytes();
  }

  /**
   * The content of a file that {@link #seal} wrote.
   *
   * @param file named in errors, not read
   * @param newest the highest version that can be read
   * @throws RegenException.Damaged if the bytes are not those that were written
   * @throws RegenException.Refused if a newer Regen wrote the file
   */
  public static JsonObject open(Path file, byte[] bytes, long newest) throws RegenException {
    try {
      JsonObject sealed = JsonObject.parse(bytes, VALUES_MAX + bytes.length / VALUE_BYTES_MIN);
      long found = sealed.number("version");
      if (found < 1 || found > newest) {
        throw new RegenException.Refused(
            file
                + " is of version "
                + found
                + "; this Regen knows versions up to "
                + newest
                + ": use the Regen that wrote it, or a newer one");
      }
      JsonObject content = sealed.object("content");
      if (!digest(content).equals(Digest.parse(sealed.string("digest")))) {
        throw new RegenException.Damaged(file + " is damaged: its digest does not fit");
      }
      return content;
    } catch (RegenException e) {
      throw e;
    } catch (IOException | IllegalArgumentException e) {
      throw new RegenException.Damaged(file + " is damaged: " + e.getMessage());
    }
  }

  private static Digest digest(JsonObject content) {
    return Digest.of(ByteBuffer.wrap(content.bytes()));
  }
}
