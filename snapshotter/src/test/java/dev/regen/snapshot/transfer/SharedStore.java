package dev.regen.snapshot.transfer;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.remote.ChunkName;
import dev.regen.snapshot.remote.DirectoryRemote;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One host's way to a real store in a directory; counts, and breaks where it is told to. */
public final class SharedStore implements RemoteStore {
  public final AtomicInteger puts = new AtomicInteger();
  public final AtomicInteger gets = new AtomicInteger();
  public final AtomicInteger questions = new AtomicInteger();
  public volatile int putsMax = Integer.MAX_VALUE;
  public volatile int getsMax = Integer.MAX_VALUE;
  public volatile long putMillis;
  private final DirectoryRemote store;

  public SharedStore(DirectoryRemote store) {
    this.store = store;
  }

  @Override
  public String id() {
    return store.id();
  }

  @Override
  public Set<Digest> missing(Collection<Digest> digests) throws IOException {
    questions.incrementAndGet();
    return store.missing(digests);
  }

  @Override
  public void put(ChunkName chunk, ByteBuffer stored) throws IOException {
    if (puts.incrementAndGet() > putsMax) {
      throw new IOException("the cable is cut");
    }
    synchronized (puts) {
      pause(putMillis); // One after the other, as on a cable.
    }
    store.put(chunk, stored);
  }

  @Override
  public byte[] get(Digest digest, int sizeBytes) throws IOException {
    if (gets.incrementAndGet() > getsMax) {
      throw new IOException("the cable is cut");
    }
    return store.get(digest, sizeBytes);
  }

  @Override
  public byte[] get(Digest digest) throws IOException {
    return store.get(digest);
  }

  @Override
  public byte[] get(Digest digest, int offset, int length) throws IOException {
    return store.get(digest, offset, length);
  }

  @Override
  public void delete(Digest digest) throws IOException {
    store.delete(digest);
  }

  @Override
  public void list(Consumer<Digest> each) throws IOException {
    store.list(each);
  }

  @Override
  public Optional<byte[]> record(String name, int limitBytes) throws IOException {
    return store.record(name, limitBytes);
  }

  @Override
  public boolean replaceRecord(String name, byte[] content, @Nullable String ifTag)
      throws IOException {
    return store.replaceRecord(name, content, ifTag);
  }

  @Override
  public void deleteRecord(String name) throws IOException {
    store.deleteRecord(name);
  }

  @Override
  public List<String> records(String prefix) throws IOException {
    return store.records(prefix);
  }

  @Override
  public void close() {
    // The store is the test's.
  }

  private static void pause(long millis) throws IOException {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }
}
