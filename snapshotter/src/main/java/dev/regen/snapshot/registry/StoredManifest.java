package dev.regen.snapshot.registry;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.store.SealedRecord;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/** A manifest as it was pushed, to the byte. */
public final class StoredManifest {
  /** The most bytes of a manifest. */
  public static final int BYTES_MAX = 4 << 20;

  private static final int VERSION = 1;
  private static final int PIECE_BYTES = 768 << 10;

  private final ContentDigest digest;
  private final String mediaType;
  private final byte[] content;

  StoredManifest(ContentDigest digest, String mediaType, byte[] content) {
    this.digest = digest;
    this.mediaType = mediaType;
    this.content = content;
  }

  public ContentDigest digest() {
    return digest;
  }

  /** What it is served as. */
  public String mediaType() {
    return mediaType;
  }

  /** Not to be changed. */
  public byte[] content() {
    return content;
  }

  byte[] bytes() {
    return SealedRecord.seal(
        VERSION,
        new JsonObject()
            .with("digest", digest.toString())
            .with("mediaType", mediaType)
            .with("content", encoded()));
  }

  /** In pieces: a text of JSON is read up to some length only. */
  private List<String> encoded() {
    List<String> pieces = new ArrayList<>();
    for (int from = 0; from < content.length; from += PIECE_BYTES) {
      int to = Math.min(content.length, from + PIECE_BYTES);
      pieces.add(Base64.getEncoder().encodeToString(Arrays.copyOfRange(content, from, to)));
    }
    return pieces;
  }

  private static byte[] decoded(List<String> pieces) {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    pieces.forEach(piece -> content.writeBytes(Base64.getDecoder().decode(piece)));
    return content.toByteArray();
  }

  static StoredManifest parse(String name, ContentDigest digest, byte[] bytes)
      throws RegenException {
    JsonObject json = SealedRecord.open(Path.of(name), bytes, VERSION);
    try {
      StoredManifest manifest =
          new StoredManifest(
              ContentDigest.parse(json.string("digest")),
              json.string("mediaType"),
              decoded(json.strings("content")));
      if (!manifest.digest().equals(digest)) {
        throw new IOException("it is that of " + manifest.digest());
      }
      return manifest;
    } catch (IOException | IllegalArgumentException e) {
      throw new RegenException.Damaged(
          "the store's record " + name + " is damaged: " + e.getMessage());
    }
  }
}
