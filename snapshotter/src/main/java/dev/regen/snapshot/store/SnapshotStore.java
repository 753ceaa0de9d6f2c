package dev.regen.snapshot.store;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.FileTooLargeException;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.crypt.Keys;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Snapshot manifests, one file each: {@code ID.json}. Each is whole or absent after a power cut.
 */
public final class SnapshotStore {
  /** The most a manifest may take on disk; {@code Archive.CHUNKS_MAX} different chunks fit. */
  public static final long MANIFEST_BYTES_MAX = 208L << 20;

  /** The most characters of one text in a manifest. */
  public static final int TEXT_CHARACTERS_MAX = 16 << 10;

  /** The most things a manifest may name that it doesn't hold. */
  public static final int NOT_HELD_MAX = 1000;

  private static final long PLAIN_VERSION = 1;

  /** A Regen that knows no encryption must not take the manifest for one of its own. */
  private static final long ENCRYPTED_VERSION = 2;

  private static final String ENDING = ".json";
  private static final String FACTS_ENDING = ".facts";

  private final Disk disk;
  private final Records records;
  private final Path directory;
  private final Keys keys;

  /**
   * Opens the manifests in {@code directory}, which is made if need be.
   *
   * @param keys for the details of encrypted snapshots; without a key they are locked, and all else
   *     works
   */
  public SnapshotStore(Disk disk, Path directory, Keys keys) throws IOException {
    this.disk = disk;
    this.keys = keys;
    this.records = new Records(disk);
    this.directory = directory;
    records.makeDirectory(directory);
  }

  public SnapshotStore(Path directory) throws IOException {
    this(new LocalDisk(), directory, Keys.NONE);
  }

  /**
   * Stores a manifest, in place of one of the same id; it survives a power cut once this has
   * returned. The archive's chunks must have been forced before.
   *
   * @throws RegenException.BadInput if the snapshot is beyond a limit; nothing is written then
   * @throws RegenException.Refused if it is encrypted and its key is not to be had, or it is locked
   */
  public void write(Snapshot snapshot) throws IOException {
    long version = snapshot.key() == null ? PLAIN_VERSION : ENCRYPTED_VERSION;
    byte[] manifest = SealedRecord.seal(version, ManifestCodec.encode(snapshot, keys));
    if (manifest.length > MANIFEST_BYTES_MAX) {
      throw new RegenException.BadInput(
          "the manifest of " + snapshot.id() + " would take " + manifest.length + " bytes");
    }
    records.replace(file(snapshot.id()), manifest);
  }

  /**
   * Reads one manifest; if its key is not to be had the snapshot is locked.
   *
   * @throws RegenException.NotFound if there is no such snapshot
   * @throws RegenException.Damaged if its file is not what was written
   * @throws RegenException.Refused if a newer Regen wrote it
   */
  public Snapshot read(SnapshotId id) throws IOException {
    return parsed(file(id), id, stored(id));
  }

  /**
   * A manifest as it is on the disk, whole or not.
   *
   * @throws RegenException.NotFound if there is no such snapshot
   * @throws RegenException.Damaged if its file is too long
   */
  public byte[] stored(SnapshotId id) throws IOException {
    Path file = file(id);
    try {
      return disk.read(file, MANIFEST_BYTES_MAX);
    } catch (NoSuchFileException e) {
      throw new RegenException.NotFound("no snapshot " + id + ": " + file + " is not there");
    } catch (FileTooLargeException e) {
      throw new RegenException.Damaged(e.getMessage() + "; no manifest is that long");
    }
  }

  /**
   * Stores a manifest as another host had it on its disk, in place of one of the same id; it
   * survives a power cut once this has returned. It may be encrypted under a key that is not to be
   * had here.
   *
   * @throws RegenException.Damaged if it is not that snapshot's, or not what was written
   * @throws RegenException.Refused if a newer Regen wrote it
   */
  public Snapshot writeStored(SnapshotId id, byte[] manifest) throws IOException {
    Path file = file(id);
    if (manifest.length > MANIFEST_BYTES_MAX) {
      throw new RegenException.Damaged("no manifest is " + manifest.length + " bytes long");
    }
    Snapshot snapshot = parsed(file, id, manifest);
    records.replace(file, manifest);
    return snapshot;
  }

  /**
   * Reads a manifest that is on no disk here; an encrypted one is locked.
   *
   * @throws RegenException.Damaged if it is not that snapshot's, or not what was written
   * @throws RegenException.Refused if a newer Regen wrote it
   */
  public static Snapshot parse(SnapshotId id, byte[] manifest) throws RegenException {
    return parsed(Path.of("the manifest of " + id), id, manifest, Keys.NONE);
  }

  private Snapshot parsed(Path file, SnapshotId id, byte[] manifest) throws RegenException {
    return parsed(file, id, manifest, keys);
  }

  private static Snapshot parsed(Path file, SnapshotId id, byte[] manifest, Keys keys)
      throws RegenException {
    try {
      JsonObject json = SealedRecord.open(file, manifest, ENCRYPTED_VERSION);
      Snapshot snapshot = ManifestCodec.decode(json, keys);
      if (!snapshot.id().equals(id)) {
        throw new RegenException.Damaged(file + " is the manifest of " + snapshot.id());
      }
      return snapshot;
    } catch (ManifestCodec.Malformed e) {
      throw new RegenException.Damaged(file + " is damaged: " + e.getMessage());
    }
  }

  /**
   * As {@link #read}; empty if the manifest is not there, or damaged.
   *
   * @throws RegenException.Refused if a newer Regen wrote it
   */
  public Optional<Snapshot> readIfWhole(SnapshotId id) throws IOException {
    try {
      return Optional.of(read(id));
    } catch (RegenException.Damaged | RegenException.NotFound e) {
      return Optional.empty();
    }
  }

  /** Why what {@code key} encrypted cannot be opened now, null if it can. */
  public @Nullable String whyLocked(@Nullable KeyId key) {
    try {
      if (key != null) {
        keys.key(key);
      }
      return null;
    } catch (IOException e) {
      return String.valueOf(e.getMessage());
    }
  }

  /** Removes a manifest for good, if it is there, and what stands beside it. */
  public void remove(SnapshotId id) throws IOException {
    remove(List.of(id));
  }

  /** Removes several manifests for good, at the price of one. */
  public void remove(Collection<SnapshotId> ids) throws IOException {
    for (SnapshotId id : ids) {
      disk.delete(factsFile(id));
      disk.delete(file(id));
    }
    disk.forceDirectory(directory);
  }

  /** The ids of all manifests, sorted; they may be damaged. */
  public List<SnapshotId> list() throws IOException {
    List<SnapshotId> ids = new ArrayList<>();
    for (Path file : disk.list(directory)) {
      String name = file.getFileName().toString();
      if (name.matches("[0-9a-f]{32}\\.json")) {
        ids.add(new SnapshotId(name.substring(0, name.length() - ENDING.length())));
      }
    }
    return ids;
  }

  /** Removes what unfinished writes left, and facts without a manifest; nobody may be writing. */
  public int sweep() throws IOException {
    for (Path file : disk.list(directory)) {
      String name = file.getFileName().toString();
      if (name.endsWith(FACTS_ENDING)) {
        String manifest = name.substring(0, name.length() - FACTS_ENDING.length()) + ENDING;
        if (disk.size(directory.resolve(manifest)) < 0) {
          disk.delete(file);
        }
      }
    }
    return records.sweep(directory);
  }

  /** Where the facts of a snapshot's files are, or would be; of no worth without the manifest. */
  public Path factsFile(SnapshotId id) {
    return directory.resolve(id.value() + FACTS_ENDING);
  }

  /** Where a snapshot's manifest is, or would be. */
  public Path file(SnapshotId id) {
    return directory.resolve(id.value() + ENDING);
  }
}
