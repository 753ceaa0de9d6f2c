package dev.regen.snapshot.registry;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.store.ChunkListCodec;
import dev.regen.snapshot.store.SealedRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A blob and what it is made of.
 *
 * @param sizeBytes as it is served
 * @param chunks in order; of a blob of no bytes none
 */
public record StoredBlob(ContentDigest digest, long sizeBytes, Form form, List<Chunk> chunks) {
  private static final int VERSION = 1;

  /** How the chunks become the blob. */
  public enum Form {
    /** Their stored bytes, one after the other. */
    STORED,
    /** What is in them, unpacked, one after the other. */
    PLAIN;

    /** What a chunk gives. */
    public int bytes(Chunk chunk) {
      return this == STORED ? chunk.storedBytes() : chunk.tarBytes();
    }
  }

  public StoredBlob {
    chunks = List.copyOf(chunks);
    Form how = form;
    long sum = chunks.stream().mapToLong(how::bytes).sum();
    if (sum != sizeBytes) {
      throw new IllegalArgumentException(
          "a blob of " + sizeBytes + " bytes whose chunks have " + sum);
    }
  }

  byte[] bytes() {
    return SealedRecord.seal(
        VERSION,
        new JsonObject()
            .with("digest", digest.toString())
            .with("sizeBytes", sizeBytes)
            .with("form", form)
            .with("chunks", ChunkListCodec.encode(chunks)));
  }

  /**
   * Reads a record.
   *
   * @param name of the record, for messages
   * @throws RegenException.Damaged if it is none, or of another blob
   * @throws RegenException.Refused if a newer Regen wrote it
   */
  static StoredBlob parse(String name, ContentDigest digest, byte[] bytes) throws RegenException {
    JsonObject json = SealedRecord.open(Path.of(name), bytes, VERSION);
    try {
      StoredBlob blob =
          new StoredBlob(
              ContentDigest.parse(json.string("digest")),
              json.number("sizeBytes"),
              Form.valueOf(json.string("form")),
              ChunkListCodec.decode(json.strings("chunks")));
      if (!blob.digest().equals(digest)) {
        throw new IOException("it is that of " + blob.digest());
      }
      return blob;
    } catch (IOException | IllegalArgumentException e) {
      throw new RegenException.Damaged(
          "the store's record " + name + " is damaged: " + e.getMessage());
    }
  }
}
