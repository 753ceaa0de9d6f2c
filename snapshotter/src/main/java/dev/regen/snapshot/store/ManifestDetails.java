package dev.regen.snapshot.store;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.crypt.Envelope;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.crypt.QueueKey;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What of a manifest tells of the container's inside, and is encrypted if its chunks are: {@code
 * key} then names the key, and {@code sealed} holds an {@link Envelope} in Base64, in pieces. All
 * other members of the manifest are authenticated by it.
 *
 * @param omitted paths that were left out
 * @param key null if nothing is encrypted
 * @param locked why nothing could be opened, null if it could
 */
record ManifestDetails(
    List<String> omitted,
    List<String> notHeld,
    JsonObject spec,
    @Nullable KeyId key,
    @Nullable String locked) {
  private static final String KEY = "key";
  private static final String SEALED = "sealed";

  /** A reader of JSON takes no string that is much longer. */
  private static final int PIECE_CHARACTERS = 1 << 20;

  /**
   * Puts a snapshot's details into its manifest.
   *
   * @param json all other members
   * @throws RegenException.Refused if they are to be encrypted, and the key is not to be had
   */
  static void put(Snapshot snapshot, JsonObject json, Keys keys) throws IOException {
    KeyId id = snapshot.unlocked().key();
    List<String> omitted = snapshot.archive().omitted();
    if (id == null) {
      json.object("archive").with("omitted", omitted);
      json.with("notHeld", snapshot.notHeld()).with("spec", snapshot.spec());
      return;
    }
    JsonObject details =
        new JsonObject()
            .with("omitted", omitted)
            .with("notHeld", snapshot.notHeld())
            .with("spec", snapshot.spec());
    QueueKey key = keys.key(id);
    json.with(KEY, id.hex());
    byte[] sealed = Envelope.sealDetails(key, details.bytes(), json.bytes());
    json.with(SEALED, pieces(Base64.getEncoder().encodeToString(sealed)));
  }

  /**
   * The details of a manifest; locked ones if their key is not to be had or is another one.
   *
   * @throws IOException if they are not as they were written
   */
  static ManifestDetails of(JsonObject json, Keys keys) throws IOException {
    String id = json.stringOrNull(KEY);
    if (id == null) {
      List<String> omitted = json.object("archive").strings("omitted");
      return new ManifestDetails(omitted, json.strings("notHeld"), json.object("spec"), null, null);
    }
    KeyId keyId = new KeyId(id);
    byte[] sealed = Base64.getDecoder().decode(String.join("", json.strings(SEALED)));
    if (!Envelope.keyId(sealed).equals(keyId)) {
      throw new IOException("its key is not that of its details");
    }
    QueueKey key;
    try {
      key = keys.key(keyId);
    } catch (IOException e) {
      return locked(keyId, e);
    }
    try {
      byte[] details = Envelope.openDetails(key, sealed, withoutSealed(json).bytes());
      JsonObject opened = JsonObject.parse(details);
      return new ManifestDetails(
          opened.strings("omitted"), opened.strings("notHeld"), opened.object("spec"), keyId, null);
    } catch (RegenException.Refused e) {
      return locked(keyId, e);
    }
  }

  private static ManifestDetails locked(KeyId key, IOException reason) {
    return new ManifestDetails(
        List.of(), List.of(), new JsonObject(), key, String.valueOf(reason.getMessage()));
  }

  private static JsonObject withoutSealed(JsonObject json) {
    JsonObject rest = new JsonObject();
    json.members()
        .forEach((name, value) -> {
          if (!name.equals(SEALED)) {
            rest.with(name, value);
          }
        });
    return rest;
  }

  private static List<String> pieces(String text) {
    List<String> pieces = new ArrayList<>();
    for (int from = 0; from < text.length(); from += PIECE_CHARACTERS) {
      pieces.add(text.substring(from, Math.min(text.length(), from + PIECE_CHARACTERS)));
    }
    return pieces;
  }
}
