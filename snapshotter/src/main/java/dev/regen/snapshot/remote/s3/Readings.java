package dev.regen.snapshot.remote.s3;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * Reads chunks, those that lie side by side in a pack and are wanted at the same time in one piece:
 * a small read costs a server milliseconds, whatever its length. Nothing is read that nobody wants.
 */
final class Readings {
  private static final int AT_ONCE = 8;
  private static final int PIECE_BYTES = 2 << 20;

  private final Bucket bucket;
  private final Semaphore free = new Semaphore(AT_ONCE);

  /** Who waits, by pack and by where the chunk begins. */
  private final Map<String, NavigableMap<Integer, Wanted>> waiting = new HashMap<>();

  Readings(Bucket bucket) {
    this.bucket = bucket;
  }

  private static final class Wanted {
    private final KnownPacks.Place place;
    private final CompletableFuture<byte[]> bytes = new CompletableFuture<>();

    Wanted(KnownPacks.Place place) {
      this.place = place;
    }

    int begin() {
      return place.offset();
    }

    int end() {
      return place.offset() + place.length();
    }
  }

  /**
   * A chunk's bytes, not compared with anything.
   *
   * @throws dev.regen.snapshot.RegenException.NotFound if the pack is gone
   */
  byte[] read(KnownPacks.Place place) throws IOException {
    Wanted mine = new Wanted(place);
    Wanted same;
    synchronized (this) {
      same =
          waiting
              .computeIfAbsent(place.pack(), _ -> new TreeMap<>())
              .putIfAbsent(mine.begin(), mine);
    }
    if (same != null) {
      return await(same);
    }
    boolean begun = false;
    try {
      free.acquire();
      try {
        begun = true;
        List<Wanted> piece = take(mine);
        if (!piece.isEmpty()) {
          read(piece);
        }
      } finally {
        free.release();
      }
    } catch (InterruptedException e) {
      throw interrupted(e);
    } finally {
      if (!begun) {
        leave(mine);
      }
    }
    return await(mine);
  }

  /** Those beside one that waits, with it and in order; none if another has taken it. */
  private synchronized List<Wanted> take(Wanted mine) {
    NavigableMap<Integer, Wanted> others = waiting.get(mine.place.pack());
    if (others == null || others.get(mine.begin()) != mine) {
      return List.of();
    }
    List<Wanted> piece = new ArrayList<>(List.of(mine));
    int bytes = mine.place.length();
    Map.Entry<Integer, Wanted> before = others.lowerEntry(mine.begin());
    while (before != null
        && before.getValue().end() == piece.getFirst().begin()
        && bytes + before.getValue().place.length() <= PIECE_BYTES) {
      piece.addFirst(before.getValue());
      bytes += before.getValue().place.length();
      before = others.lowerEntry(before.getKey());
    }
    Wanted after = others.get(mine.end());
    while (after != null && bytes + after.place.length() <= PIECE_BYTES) {
      piece.add(after);
      bytes += after.place.length();
      after = others.get(after.end());
    }
    piece.forEach(one -> others.remove(one.begin()));
    if (others.isEmpty()) {
      waiting.remove(mine.place.pack());
    }
    return piece;
  }

  private void read(List<Wanted> piece) {
    int begin = piece.getFirst().begin();
    String key = StoredPacks.PACKS + piece.getFirst().place.pack();
    try {
      byte[] bytes = bucket.get(key, begin, piece.getLast().end() - begin);
      for (Wanted one : piece) {
        one.bytes.complete(Arrays.copyOfRange(bytes, one.begin() - begin, one.end() - begin));
      }
    } catch (IOException | RuntimeException e) {
      piece.forEach(one -> one.bytes.completeExceptionally(e));
    }
  }

  /** Who gives up before it began is not read for; whoever counts on it asks again. */
  private synchronized void leave(Wanted mine) {
    NavigableMap<Integer, Wanted> others = waiting.get(mine.place.pack());
    if (others != null && others.remove(mine.begin(), mine) && others.isEmpty()) {
      waiting.remove(mine.place.pack());
    }
    mine.bytes.completeExceptionally(new IOException("the read was given up"));
  }

  private static byte[] await(Wanted wanted) throws IOException {
    try {
      return wanted.bytes.get();
    } catch (InterruptedException e) {
      throw interrupted(e);
    } catch (ExecutionException e) {
      throw failure(e.getCause());
    }
  }

  private static IOException failure(@Nullable Throwable cause) {
    return switch (cause) {
      // Of whoever read for several; it is not this thread that is to end.
      case InterruptedIOException e -> new IOException("the read was given up", e);
      case IOException e -> e;
      case null, default -> throw new IllegalStateException(cause);
    };
  }

  private static InterruptedIOException interrupted(InterruptedException cause) {
    Thread.currentThread().interrupt();
    InterruptedIOException interrupted = new InterruptedIOException("interrupted");
    interrupted.initCause(cause);
    return interrupted;
  }
}
