package dev.regen.snapshot.image;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.store.ChunkListCodec;
import dev.regen.snapshot.store.SealedRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A layer of images as a store has it: the chunks that its bytes are made of, in order, none of
 * them encrypted.
 *
 * @param digest of the layer's bytes as an engine gives them: its DiffID where they are a plain tar
 * @param sizeBytes how many these are
 */
public record StoredLayer(Digest digest, long sizeBytes, List<Chunk> chunks) {
  private static final int VERSION = 1;

  public StoredLayer {
    chunks = List.copyOf(chunks);
    long sum = chunks.stream().mapToLong(Chunk::tarBytes).sum();
    if (sum != sizeBytes || sizeBytes < 1) {
      throw new IllegalArgumentException(
          "a layer of " + sizeBytes + " bytes whose chunks hold " + sum);
    }
  }

  /** The record's bytes; equal ones for equal layers. */
  byte[] bytes() {
    JsonObject json =
        new JsonObject()
            .with("digest", digest.hex())
            .with("sizeBytes", sizeBytes)
            .with("chunks", ChunkListCodec.encode(chunks));
    return SealedRecord.seal(VERSION, json);
  }

  /**
   * Reads a record.
   *
   * @param name of the record, for messages
   * @throws RegenException.Damaged if it is none, or of another layer
   * @throws RegenException.Refused if a newer Regen wrote it
   */
  static StoredLayer parse(String name, Digest digest, byte[] bytes) throws RegenException {
    JsonObject json = SealedRecord.open(Path.of(name), bytes, VERSION);
    try {
      StoredLayer layer =
          new StoredLayer(
              new Digest(json.string("digest")),
              json.number("sizeBytes"),
              ChunkListCodec.decode(json.strings("chunks")));
      if (!layer.digest().equals(digest)) {
        throw new IOException("it is that of " + layer.digest());
      }
      return layer;
    } catch (IOException | IllegalArgumentException e) {
      throw new RegenException.Damaged(
          "the store's record " + name + " is damaged: " + e.getMessage());
    }
  }
}
