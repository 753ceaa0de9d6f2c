package dev.regen.snapshot.remote;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.store.PackedChunkStore;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Calls again what the network or the other side's disk made fail, after a pause that doubles each
 * time and of which half is chance, so that many callers do not come back at one moment. What the
 * store refuses, has not or holds damaged is not asked for again.
 */
public final class RetryingStore implements RemoteStore {
  private final RemoteStore store;
  private final int attempts;
  private final Duration firstPause;
  private final boolean timeOutsToo;

  /**
   * @param attempts how often a call is made at most, 1 or more
   * @param firstPause before the second attempt, give or take a half
   */
  public RetryingStore(RemoteStore store, int attempts, Duration firstPause) {
    this(store, attempts, firstPause, true);
  }

  /**
   * @param timeOutsToo whether one that did not answer in time is asked again; there may be others
   */
  RetryingStore(RemoteStore store, int attempts, Duration firstPause, boolean timeOutsToo) {
    this.store = store;
    this.attempts = attempts;
    this.firstPause = firstPause;
    this.timeOutsToo = timeOutsToo;
  }

  @Override
  public String id() throws IOException {
    return again(store::id);
  }

  @Override
  public List<String> troubles() {
    return store.troubles();
  }

  @Override
  public Batch batch() {
    return store.batch();
  }

  @Override
  public Load load() {
    return store.load();
  }

  @Override
  public Set<Digest> missing(Collection<Digest> digests) throws IOException {
    return again(() -> store.missing(digests));
  }

  @Override
  public void put(ChunkName chunk, ByteBuffer stored) throws IOException {
    again(() -> {
      store.put(chunk, stored.duplicate());
      return chunk;
    });
    stored.position(stored.limit());
  }

  @Override
  public boolean readsLate() {
    return store.readsLate();
  }

  @Override
  public void put(ChunkName chunk, Late stored) throws IOException {
    again(() -> {
      store.put(chunk, stored);
      return chunk;
    });
  }

  @Override
  public byte[] get(Digest digest, int sizeBytes) throws IOException {
    return again(() -> store.get(digest, sizeBytes));
  }

  @Override
  public void get(Digest digest, int sizeBytes, byte[] into) throws IOException {
    again(() -> {
      store.get(digest, sizeBytes, into);
      return into;
    });
  }

  @Override
  public byte[] get(Digest digest) throws IOException {
    return again(() -> store.get(digest));
  }

  @Override
  public byte[] get(Digest digest, int offset, int length) throws IOException {
    return again(() -> store.get(digest, offset, length));
  }

  @Override
  public Optional<PackedChunkStore.Place> place(Digest digest) throws IOException {
    return store.place(digest);
  }

  @Override
  public void delete(Digest digest) throws IOException {
    again(() -> {
      store.delete(digest);
      return digest;
    });
  }

  @Override
  public Set<Digest> delete(Collection<Digest> digests) throws IOException {
    return again(() -> store.delete(digests));
  }

  @Override
  public boolean deletesInTwoSteps() {
    return store.deletesInTwoSteps();
  }

  @Override
  public Closeable turn() throws IOException {
    return again(store::turn);
  }

  @Override
  public void requireAll() throws IOException {
    again(() -> {
      store.requireAll();
      return store;
    });
  }

  @Override
  public Optional<Shards> shards() {
    return store.shards();
  }

  @Override
  public void listAll(Consumer<Digest> each) throws IOException {
    store.listAll(each);
  }

  /** Once only: what was named before a failure would be named twice. */
  @Override
  public void list(Consumer<Digest> each) throws IOException {
    store.list(each);
  }

  @Override
  public Optional<byte[]> record(String name, int limitBytes) throws IOException {
    return again(() -> store.record(name, limitBytes));
  }

  /** An attempt that failed may have stored the record; then that is no other writer's. */
  @Override
  public boolean replaceRecord(String name, byte[] content, @Nullable String ifTag)
      throws IOException {
    boolean[] before = {false};
    return again(() -> {
      boolean mayBeOurs = before[0];
      before[0] = true;
      return store.replaceRecord(name, content, ifTag)
          || (mayBeOurs && store.record(name).filter(is -> Arrays.equals(is, content)).isPresent());
    });
  }

  @Override
  public void deleteRecord(String name) throws IOException {
    again(() -> {
      store.deleteRecord(name);
      return name;
    });
  }

  @Override
  public List<String> records(String prefix) throws IOException {
    return again(() -> store.records(prefix));
  }

  @Override
  public void close() throws IOException {
    store.close();
  }

  private interface Attempt<T> {
    T run() throws IOException;
  }

  private <T> T again(Attempt<T> call) throws IOException {
    long pauseMillis = firstPause.toMillis();
    for (int attempt = 1; ; attempt++) {
      try {
        return call.run();
      } catch (RegenException | InterruptedIOException e) {
        throw e;
      } catch (IOException e) {
        if (attempt >= attempts || (e instanceof TimedOut && !timeOutsToo)) {
          throw e;
        }
      }
      pause(pauseMillis / 2 + ThreadLocalRandom.current().nextLong(pauseMillis + 1));
      pauseMillis *= 2;
    }
  }

  private static void pause(long millis) throws InterruptedIOException {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }
}
