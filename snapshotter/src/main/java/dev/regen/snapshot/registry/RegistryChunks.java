package dev.regen.snapshot.registry;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** Names the chunks that a registry's blobs are made of, those on their way included. */
public final class RegistryChunks {
  private final RemoteStore store;

  /** Records that were read; a blob's never changes. */
  private final Set<String> known = new HashSet<>();

  public RegistryChunks(RemoteStore store) {
    this.store = store;
  }

  /**
   * Names the chunks of every blob and upload that was not named before.
   *
   * @throws RegenException.Damaged if nobody can say what one of them is made of
   */
  public void look(Consumer<Digest> each) throws IOException {
    for (String record : store.records(Names.BLOBS)) {
      if (!known.contains(record)) {
        Optional<byte[]> bytes = store.record(record, Blobs.RECORD_BYTES_MAX);
        if (bytes.isPresent()) {
          name(StoredBlob.parse(record, Names.digest(record), bytes.get()).chunks(), each);
          known.add(record);
        }
      }
    }
    for (String record : store.records(Names.UPLOADS)) {
      Optional<byte[]> bytes = store.record(record, UploadRecord.BYTES_MAX);
      if (bytes.isPresent()) {
        name(UploadRecord.parse(record, bytes.get()).segments(), each);
      }
    }
  }

  private static void name(Iterable<Chunk> chunks, Consumer<Digest> each) {
    chunks.forEach(chunk -> each.accept(chunk.digest()));
  }
}
