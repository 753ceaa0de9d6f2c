package dev.regen.snapshot.store;

import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** A chunk store to which something happens before one of its puts. */
public final class InterruptedStore implements ChunkStore {
  /** What happens. */
  @FunctionalInterface
  public interface Event {
    void happen() throws IOException;
  }

  private final ChunkStore store;
  private final int put;
  private final Event event;
  private final AtomicInteger puts = new AtomicInteger();

  /** {@code event} happens before the {@code put}th put, counted from 1. */
  public InterruptedStore(ChunkStore store, int put, Event event) {
    this.store = store;
    this.put = put;
    this.event = event;
  }

  /** How many chunks were brought here, known ones too. */
  public int puts() {
    return puts.get();
  }

  @Override
  public Set<Digest> missing(Collection<Digest> digests) throws IOException {
    return store.missing(digests);
  }

  @Override
  public boolean put(Digest digest, ByteBuffer stored) throws IOException {
    if (puts.incrementAndGet() == put) {
      event.happen();
    }
    return store.put(digest, stored);
  }

  @Override
  public byte[] get(Digest digest) throws IOException {
    return store.get(digest);
  }

  @Override
  public void force() throws IOException {
    store.force();
  }

  @Override
  public boolean setAside(Digest digest) throws IOException {
    return store.setAside(digest);
  }

  @Override
  public void delete(Collection<Digest> digests) throws IOException {
    store.delete(digests);
  }

  @Override
  public void list(Consumer<Digest> each) throws IOException {
    store.list(each);
  }
}
