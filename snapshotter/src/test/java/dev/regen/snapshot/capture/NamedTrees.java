package dev.regen.snapshot.capture;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.layer.ArchiveRequest;
import dev.regen.snapshot.layer.Archived;
import dev.regen.snapshot.layer.FrozenTree;
import dev.regen.snapshot.layer.KnownGroups;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.store.ChunkStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;

/** Archives trees that exist by name alone: {@code /trees/a-b-c} is made of chunks a, b and c. */
record NamedTrees(ChunkStore store) implements Archiver {
  @Override
  public Archived archive(
      FrozenTree frozen,
      ArchiveRequest request,
      KnownGroups known,
      Progress progress,
      BooleanSupplier cancelled)
      throws IOException {
    List<Chunk> chunks = new ArrayList<>();
    long newBytes = 0;
    for (String name : frozen.tree().getFileName().toString().split("-", -1)) {
      if (cancelled.getAsBoolean()) {
        throw new CancellationException();
      }
      byte[] bytes = bytes(name);
      newBytes += store.put(digest(name), ByteBuffer.wrap(bytes)) ? bytes.length : 0;
      chunks.add(new Chunk(digest(name), bytes.length, bytes.length));
    }
    long length = chunks.stream().mapToLong(Chunk::storedBytes).sum();
    Archive archive =
        new Archive(
            chunks,
            List.of(chunks.getLast()),
            chunks.size(),
            length,
            length,
            newBytes,
            List.of(),
            0);
    return new Archived(archive, List.of(), List.of());
  }

  static byte[] bytes(String name) {
    return ("chunk " + name).repeat(20).getBytes(UTF_8);
  }

  static Digest digest(String name) {
    return Digest.of(ByteBuffer.wrap(bytes(name)));
  }
}
