package dev.regen.snapshot.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class DirectoryChunkStoreTest extends ChunkStoreContract {
  @Override
  ChunkStore open(Path chunks) {
    return new DirectoryChunkStore(chunks);
  }

  @Override
  Path flipBit(ChunkStore store, Digest digest) throws IOException {
    Path file = ((DirectoryChunkStore) store).file(digest);
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    return Files.write(file, bytes);
  }

  @Test
  void aTruncatedChunkIsReplacedByTheNextPut() throws Exception {
    DirectoryChunkStore store = new DirectoryChunkStore(chunks());
    byte[] bytes = bytes(5, 1000);
    Digest digest = digest(bytes);
    store.put(digest, ByteBuffer.wrap(bytes));
    store.force();
    Files.write(store.file(digest), new byte[10]);

    assertThat(store.put(digest, ByteBuffer.wrap(bytes))).isTrue();
    store.force();

    assertHolds(store, bytes);
  }
}
