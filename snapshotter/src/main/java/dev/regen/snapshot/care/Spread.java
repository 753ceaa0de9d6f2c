package dev.regen.snapshot.care;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * Names each chunk of several stores once, in order, and which of them hold it. Reads their lists
 * side by side, some thousand names ahead.
 */
final class Spread implements AutoCloseable {
  private static final int AHEAD = 4_000;

  private final List<Listed> lists = new ArrayList<>();

  /**
   * A chunk.
   *
   * @param holders by their places among the stores
   */
  record Copies(Digest digest, List<Integer> holders) {
    Copies {
      holders = List.copyOf(holders);
    }
  }

  Spread(List<RemoteStore> stores) throws IOException {
    for (RemoteStore store : stores) {
      lists.add(new Listed(store));
    }
    try {
      for (Listed list : lists) {
        list.advance();
      }
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /** The next one, or null after the last. */
  @Nullable Copies next() throws IOException {
    Digest least = null;
    for (Listed list : lists) {
      if (list.head != null && (least == null || list.head.hex().compareTo(least.hex()) < 0)) {
        least = list.head;
      }
    }
    if (least == null) {
      return null;
    }
    List<Integer> holders = new ArrayList<>();
    for (int i = 0; i < lists.size(); i++) {
      if (least.equals(lists.get(i).head)) {
        holders.add(i);
        lists.get(i).advance();
      }
    }
    return new Copies(least, holders);
  }

  @Override
  public void close() {
    lists.forEach(list -> list.reader.interrupt());
  }

  private static final class Listed {
    private final BlockingQueue<Optional<Digest>> ahead = new ArrayBlockingQueue<>(AHEAD);
    private final Thread reader;
    private volatile @Nullable Throwable failure;
    private @Nullable Digest head;

    Listed(RemoteStore store) {
      reader = Thread.ofVirtual().start(() -> read(store));
    }

    private void read(RemoteStore store) {
      try {
        store.list(digest -> put(Optional.of(digest)));
      } catch (Throwable e) {
        // Whatever it is, who waits for the next one has to hear of it.
        failure = e;
      }
      if (!Thread.currentThread().isInterrupted()) {
        put(Optional.empty());
      }
    }

    private void put(Optional<Digest> next) {
      try {
        ahead.put(next);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("nobody reads on", e);
      }
    }

    void advance() throws IOException {
      try {
        head = ahead.take().orElse(null);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted");
      }
      if (head == null && failure != null) {
        throw new IOException(failure.getMessage(), failure);
      }
    }
  }
}
