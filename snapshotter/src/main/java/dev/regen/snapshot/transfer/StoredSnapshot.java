package dev.regen.snapshot.transfer;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.queue.Element;
import dev.regen.snapshot.queue.QueueContent;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.store.EndCodec;
import dev.regen.snapshot.store.SealedRecord;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/**
 * What a store says of one snapshot; the rest is in its manifest, which lies in chunks as all else.
 *
 * @param element as it stood in the queue of the host that pushed it
 * @param keep the length of that queue
 * @param storedBytes length of the snapshot's chunks
 * @param encrypted whether they are encrypted
 * @param manifest where its manifest is
 */
public record StoredSnapshot(
    QueueName queue,
    Element element,
    int keep,
    long storedBytes,
    boolean encrypted,
    String imageName,
    PackedManifest manifest) {
  private static final int VERSION = 1;
  private static final int NAME_CHARACTERS_MAX = 500;

  /** It names at most a few parts of a manifest; whoever reads it may have little memory. */
  static final int RECORD_BYTES_MAX = 256 << 10;

  static StoredSnapshot of(Snapshot snapshot, Element element, int keep, PackedManifest manifest) {
    String image = snapshot.imageName();
    return new StoredSnapshot(
        snapshot.queue(),
        element,
        keep,
        snapshot.archive().storedBytes(),
        snapshot.key() != null,
        image.substring(0, Math.min(image.length(), NAME_CHARACTERS_MAX)),
        manifest);
  }

  public SnapshotId id() {
    return element.id();
  }

  /**
   * The snapshot itself, as the store has it; of an encrypted one the details are empty.
   *
   * @throws RegenException.NotFound if its manifest is lost
   * @throws RegenException.Damaged if that is not what it should be
   */
  public Snapshot read(RemoteStore store) throws IOException {
    return SnapshotStore.parse(id(), manifest.fetch(store));
  }

  /** The record's bytes; equal ones for equal snapshots. */
  byte[] bytes() {
    return SealedRecord.seal(VERSION, json());
  }

  /** The bytes of a record that says that it is on its way. */
  byte[] uploadBytes(Instant now) {
    return SealedRecord.seal(VERSION, json().with("renewedAt", now));
  }

  private JsonObject json() {
    return new JsonObject()
        .with("queue", queue.value())
        .with("id", id().value())
        .with("since", element.since())
        .with("time", element.time())
        .with("end", EndCodec.encode(element.end()))
        .with("keep", keep)
        .with("storedBytes", storedBytes)
        .with("encrypted", encrypted)
        .with("imageName", imageName)
        .with("manifest", manifest.json());
  }

  /** When whoever sends it last said so, by its clock; the beginning of time if it never did. */
  static Instant renewedAt(String name, byte[] bytes) throws RegenException {
    JsonObject json = SealedRecord.open(Path.of(name), bytes, VERSION);
    try {
      return json.has("renewedAt") ? json.instant("renewedAt") : Instant.EPOCH;
    } catch (IOException e) {
      throw new RegenException.Damaged("the store's record " + name + " is damaged");
    }
  }

  /**
   * Reads a record.
   *
   * @throws RegenException.Damaged if it is none, or of another queue or snapshot
   * @throws RegenException.Refused if a newer Regen wrote it
   */
  static StoredSnapshot parse(String name, QueueName queue, SnapshotId id, byte[] bytes)
      throws RegenException {
    JsonObject json = SealedRecord.open(Path.of(name), bytes, VERSION);
    try {
      Element element =
          new Element(
              new SnapshotId(json.string("id")),
              json.instant("since"),
              json.instant("time"),
              EndCodec.decode(json.object("end")),
              false);
      StoredSnapshot stored =
          new StoredSnapshot(
              new QueueName(json.string("queue")),
              element,
              Math.toIntExact(json.number("keep")),
              json.number("storedBytes"),
              json.flag("encrypted"),
              json.string("imageName"),
              PackedManifest.of(json.object("manifest")));
      QueueContent.checkKeep(stored.keep());
      if (!stored.queue().equals(queue) || !stored.id().equals(id)) {
        throw new IOException("it is that of " + stored.queue() + "@" + stored.id());
      }
      return stored;
    } catch (IOException | IllegalArgumentException | ArithmeticException e) {
      throw new RegenException.Damaged(
          "the store's record " + name + " is damaged: " + e.getMessage());
    }
  }

  /** What records of one snapshot are told apart by. */
  static String tag(byte[] record) {
    return Digest.of(ByteBuffer.wrap(record)).hex().substring(0, 16);
  }

  public List<Digest> manifestChunks() {
    return manifest.parts().stream().map(PackedManifest.Part::digest).toList();
  }
}
