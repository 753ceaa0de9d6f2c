package dev.regen.snapshot.image;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.store.SealedRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * An image as a store has it: its documents. Its layers have records of their own.
 *
 * @param sizeBytes what its layers take, as an engine gives them
 */
public record StoredImage(ImageContent content, long sizeBytes) {
  private static final int VERSION = 1;

  public StoredImage {
    if (sizeBytes < 0) {
      throw new IllegalArgumentException("an image of " + sizeBytes + " bytes");
    }
  }

  public Digest id() {
    return content.id();
  }

  /** The record's bytes; equal ones for equal images. */
  byte[] bytes() {
    List<String> documents =
        content.documents().values().stream().map(Base64.getEncoder()::encodeToString).toList();
    JsonObject json =
        new JsonObject()
            .with("id", id().hex())
            .with("sizeBytes", sizeBytes)
            .with("documents", documents);
    return SealedRecord.seal(VERSION, json);
  }

  /**
   * Reads a record; what it says of itself is compared with the digests that name it.
   *
   * @param name of the record, for messages
   * @throws RegenException.Damaged if it is none, or of another image
   * @throws RegenException.Refused if a newer Regen wrote it
   */
  static StoredImage parse(String name, Digest id, byte[] bytes) throws RegenException {
    JsonObject json = SealedRecord.open(Path.of(name), bytes, VERSION);
    try {
      if (!json.string("id").equals(id.hex())) {
        throw new IOException("it is that of " + json.string("id"));
      }
      Map<Digest, byte[]> documents = new HashMap<>();
      for (String text : json.strings("documents")) {
        byte[] document = Base64.getDecoder().decode(text);
        documents.put(Digest.of(ByteBuffer.wrap(document)), document);
      }
      return new StoredImage(ImageContent.of(id, documents), json.number("sizeBytes"));
    } catch (IOException | IllegalArgumentException e) {
      throw new RegenException.Damaged(
          "the store's record " + name + " is damaged: " + e.getMessage());
    }
  }
}
