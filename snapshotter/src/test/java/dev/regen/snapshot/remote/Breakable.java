package dev.regen.snapshot.remote;

import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A real store in a directory that fails as long as it is told to; closing leaves it open. */
final class Breakable implements RemoteStore {
  final DirectoryRemote store;
  volatile @Nullable IOException broken;
  volatile long puts;

  /** Puts wait until this is counted down. */
  volatile CountDownLatch held = new CountDownLatch(0);

  final AtomicInteger putting = new AtomicInteger();

  Breakable(DirectoryRemote store) {
    this.store = store;
  }

  @Override
  public String id() throws IOException {
    return working().id();
  }

  @Override
  public Set<Digest> missing(Collection<Digest> digests) throws IOException {
    return working().missing(digests);
  }

  @Override
  public void put(ChunkName chunk, ByteBuffer stored) throws IOException {
    putting.incrementAndGet();
    try {
      held.await();
    } catch (InterruptedException e) {
      throw new InterruptedIOException("interrupted");
    } finally {
      putting.decrementAndGet();
    }
    synchronized (this) {
      working().put(chunk, stored);
      puts++;
    }
  }

  @Override
  public byte[] get(Digest digest, int sizeBytes) throws IOException {
    return working().get(digest, sizeBytes);
  }

  @Override
  public byte[] get(Digest digest) throws IOException {
    return working().get(digest);
  }

  @Override
  public byte[] get(Digest digest, int offset, int length) throws IOException {
    return working().get(digest, offset, length);
  }

  @Override
  public void delete(Digest digest) throws IOException {
    working().delete(digest);
  }

  @Override
  public void list(Consumer<Digest> each) throws IOException {
    working().list(each);
  }

  @Override
  public Optional<byte[]> record(String name, int limitBytes) throws IOException {
    return working().record(name, limitBytes);
  }

  @Override
  public boolean replaceRecord(String name, byte[] content, @Nullable String ifTag)
      throws IOException {
    return working().replaceRecord(name, content, ifTag);
  }

  @Override
  public void deleteRecord(String name) throws IOException {
    working().deleteRecord(name);
  }

  @Override
  public List<String> records(String prefix) throws IOException {
    return working().records(prefix);
  }

  @Override
  public void close() {
    // The test opens it once, and others over it.
  }

  private RemoteStore working() throws IOException {
    IOException failure = broken;
    if (failure != null) {
      throw failure;
    }
    return store;
  }
}
