package dev.regen.snapshot.store;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** A chunk store that forgets everything with the process. */
public final class MemoryChunkStore implements ChunkStore {
  private final Map<Digest, byte[]> chunks = new ConcurrentHashMap<>();

  @Override
  public Set<Digest> missing(Collection<Digest> digests) {
    Set<Digest> missing = new HashSet<>(digests);
    missing.removeAll(chunks.keySet());
    return missing;
  }

  @Override
  public boolean put(Digest digest, ByteBuffer stored) throws IOException {
    byte[] bytes = new byte[stored.remaining()];
    stored.get(bytes);
    if (!Digest.of(ByteBuffer.wrap(bytes)).equals(digest)) {
      throw new IllegalArgumentException("another digest than that of the bytes");
    }
    return chunks.putIfAbsent(digest, bytes) == null;
  }

  @Override
  public byte[] get(Digest digest) throws IOException {
    byte[] bytes = chunks.get(digest);
    if (bytes == null) {
      throw new RegenException.Damaged("missing chunk " + digest);
    }
    return bytes.clone();
  }

  @Override
  public void force() {}

  @Override
  public boolean setAside(Digest digest) {
    return chunks.remove(digest) != null;
  }

  @Override
  public void delete(Collection<Digest> digests) {
    chunks.keySet().removeAll(digests);
  }

  @Override
  public void list(Consumer<Digest> each) {
    chunks.keySet().forEach(each);
  }

  /** Writes the layer as it would be served: its chunks, one after the other. */
  public Path layer(Archive archive, Path file) throws IOException {
    try (OutputStream out = Files.newOutputStream(file)) {
      for (Chunk chunk : archive.chunks()) {
        out.write(get(chunk.digest()));
      }
    }
    return file;
  }
}
