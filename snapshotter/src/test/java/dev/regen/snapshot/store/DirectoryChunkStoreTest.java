package dev.regen.snapshot.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
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

  /** Two put the same chunk; the one's force fails, and takes away what the other waits for. */
  @Test
  void whoWaitsForWhatAnotherCouldNotForceHearsOfIt() throws Exception {
    AtomicBoolean broken = new AtomicBoolean(true);
    LocalDisk local = new LocalDisk();
    Disk disk =
        (Disk)
            Proxy.newProxyInstance(
                Disk.class.getClassLoader(),
                new Class<?>[] {Disk.class},
                (_, method, arguments) -> {
                  if (method.getName().equals("force") && broken.get()) {
                    throw new IOException("bad sector");
                  }
                  return method.invoke(local, arguments);
                });
    DirectoryChunkStore store = new DirectoryChunkStore(disk, chunks());
    byte[] bytes = bytes(6, 1000);
    Digest digest = digest(bytes);
    store.put(digest, ByteBuffer.wrap(bytes));

    assertThatThrownBy(() -> store.force(digest)).hasMessage("bad sector");
    assertThatThrownBy(() -> store.force(digest)).hasMessageContaining("could not be forced");

    broken.set(false);
    assertThat(store.putForced(digest, ByteBuffer.wrap(bytes))).isTrue();
    assertHolds(store, bytes);
  }
}
