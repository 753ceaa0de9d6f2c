package dev.regen.snapshot.registry;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.store.ChunkListCodec;
import dev.regen.snapshot.store.SealedRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/**
 * An upload, as far as it is stored.
 *
 * @param segments in order
 * @param renewedAt when it was last heard of, by the clock of the manager that heard
 */
record UploadRecord(RepositoryName repository, List<Chunk> segments, Instant renewedAt) {
  static final int BYTES_MAX = 48 << 20;
  private static final int VERSION = 1;

  UploadRecord {
    segments = List.copyOf(segments);
  }

  long bytesStored() {
    return segments.stream().mapToLong(Chunk::storedBytes).sum();
  }

  byte[] bytes() {
    return SealedRecord.seal(
        VERSION,
        new JsonObject()
            .with("repository", repository.value())
            .with("segments", ChunkListCodec.encode(segments))
            .with("renewedAt", renewedAt));
  }

  static UploadRecord parse(String name, byte[] bytes) throws RegenException {
    JsonObject json = SealedRecord.open(Path.of(name), bytes, VERSION);
    try {
      return new UploadRecord(
          new RepositoryName(json.string("repository")),
          ChunkListCodec.decode(json.strings("segments")),
          json.instant("renewedAt"));
    } catch (IOException | IllegalArgumentException e) {
      throw new RegenException.Damaged(
          "the store's record " + name + " is damaged: " + e.getMessage());
    }
  }
}
