package dev.regen.snapshot.store;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.crypt.Keys;
import java.io.IOException;
import java.util.List;

/** A snapshot as JSON, and back; limits are checked both ways. */
final class ManifestCodec {
  static final int SPEC_BYTES_MAX = 16 << 20;

  private ManifestCodec() {}

  /** What was read is no manifest; the message says what of it. */
  static final class Malformed extends IOException {
    private static final long serialVersionUID = 1;

    Malformed(String message) {
      super(message);
    }
  }

  static JsonObject encode(Snapshot snapshot, Keys keys) throws IOException {
    try {
      checkLimits(snapshot);
      checkReadable(snapshot.spec());
    } catch (IOException e) {
      throw new RegenException.BadInput(
          "a snapshot of " + snapshot.queue() + " cannot be kept: " + e.getMessage());
    }
    JsonObject json =
        new JsonObject()
            .with("id", snapshot.id().value())
            .with("queue", snapshot.queue().value())
            .with("time", snapshot.time())
            .with("end", EndCodec.encode(snapshot.end()))
            .with("container", snapshot.container())
            .with("imageId", snapshot.imageId())
            .with("imageName", snapshot.imageName())
            .with("archive", encode(snapshot.archive()));
    ManifestDetails.put(snapshot, json, keys);
    return json;
  }

  static Snapshot decode(JsonObject json, Keys keys) throws Malformed {
    try {
      ManifestDetails details = ManifestDetails.of(json, keys);
      Snapshot snapshot =
          new Snapshot(
              new SnapshotId(json.string("id")),
              new QueueName(json.string("queue")),
              json.instant("time"),
              EndCodec.decode(json.object("end")),
              json.string("container"),
              json.string("imageId"),
              json.string("imageName"),
              archive(json.object("archive"), details.omitted()),
              details.notHeld(),
              details.spec(),
              details.key(),
              details.locked());
      checkLimits(snapshot);
      return snapshot;
    } catch (Malformed e) {
      throw e;
    } catch (IOException | IllegalArgumentException | ArithmeticException e) {
      throw new Malformed(String.valueOf(e.getMessage()));
    }
  }

  private static JsonObject encode(Archive archive) {
    return new JsonObject()
        .with("chunks", ChunkListCodec.encode(archive.chunks()))
        .with("entryIndex", ChunkListCodec.encode(archive.entryIndex()))
        .with("entries", archive.entries())
        .with("tarBytes", archive.tarBytes())
        .with("storedBytes", archive.storedBytes())
        .with("newBytes", archive.newBytes())
        .with("omittedCount", archive.omittedCount());
  }

  private static Archive archive(JsonObject json, List<String> omitted) throws IOException {
    return new Archive(
        ChunkListCodec.decode(json.strings("chunks")),
        ChunkListCodec.decode(json.strings("entryIndex")),
        json.number("entries"),
        json.number("tarBytes"),
        json.number("storedBytes"),
        json.number("newBytes"),
        omitted,
        json.number("omittedCount"));
  }

  private static void checkLimits(Snapshot snapshot) throws Malformed {
    Archive archive = snapshot.archive();
    atMost("chunks", archive.chunks().size(), Archive.CHUNKS_MAX);
    atMost("chunks of the entry index", archive.entryIndex().size(), Archive.CHUNKS_MAX);
    atMost("entries", archive.entries(), Archive.ENTRIES_MAX);
    atMost("bytes of tar", archive.tarBytes(), Long.MAX_VALUE);
    atMost("stored bytes", archive.storedBytes(), Long.MAX_VALUE);
    atMost("new bytes", archive.newBytes(), Long.MAX_VALUE);
    atMost("things left out", archive.omittedCount(), Long.MAX_VALUE);
    atMost("things left out by name", archive.omitted().size(), Archive.OMITTED_MAX);
    atMost("things not held", snapshot.notHeld().size(), SnapshotStore.NOT_HELD_MAX);
    checkTexts(archive.omitted());
    checkTexts(snapshot.notHeld());
    checkTexts(List.of(snapshot.container(), snapshot.imageId(), snapshot.imageName()));
    atMost("bytes of container configuration", snapshot.spec().bytes().length, SPEC_BYTES_MAX);
  }

  /** Nested too deeply it could be written, and never read again. */
  private static void checkReadable(JsonObject spec) throws IOException {
    JsonObject.parse(SealedRecord.seal(0, new JsonObject().with("spec", spec)));
  }

  private static void checkTexts(List<String> texts) throws Malformed {
    for (String text : texts) {
      atMost("characters in one text", text.length(), SnapshotStore.TEXT_CHARACTERS_MAX);
    }
  }

  private static void atMost(String what, long count, long most) throws Malformed {
    if (count < 0 || count > most) {
      throw new Malformed(count + " " + what + "; at most " + most + " are allowed");
    }
  }
}
