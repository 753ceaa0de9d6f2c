package dev.regen.snapshot.care;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.ChunkName;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.Shards;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Brings the copies of one chunk to where they belong. */
final class ChunkMove {
  private final Shards shards;
  private final Tally tally;

  ChunkMove(Shards shards, Tally tally) {
    this.shards = shards;
    this.tally = tally;
  }

  /** Whether a chunk is not where it belongs, as far as lists say. */
  static boolean isNeeded(Shards shards, Spread.Copies copies) {
    return !Set.copyOf(copies.holders())
        .equals(Set.copyOf(shards.placement().copies(copies.digest())));
  }

  /**
   * Does it.
   *
   * @param all whether each copy is read
   */
  void make(Spread.Copies copies, boolean all) throws IOException {
    try {
      make(copies.digest(), copies.holders(), all);
    } catch (IOException e) {
      tally.failed(copies.digest().toString(), e);
    }
    tally.done();
  }

  private void make(Digest digest, List<Integer> holders, boolean all) throws IOException {
    List<Integer> wanted = shards.placement().copies(digest);
    List<Integer> strangers = holders.stream().filter(at -> !wanted.contains(at)).toList();
    Set<Integer> good = new HashSet<>();
    List<Integer> damaged = new ArrayList<>();
    byte[] bytes = read(digest, holders, all || !strangers.isEmpty(), good, damaged);
    if (bytes == null) {
      throw damaged.isEmpty()
          ? new RegenException.NotFound("it went meanwhile")
          : new RegenException.Damaged("each of its copies is damaged");
    }
    for (int at : wanted) {
      if (!good.contains(at)) {
        put(at, digest, bytes);
        if (damaged.contains(at)) {
          tally.healed(bytes.length);
        } else if (strangers.isEmpty()) {
          tally.repaired(bytes.length);
        } else {
          tally.moved(bytes.length);
        }
      }
    }
    for (int at : strangers) {
      remove(at, digest);
    }
  }

  /** A whole copy; of those that were read, which were good and which not. Null if none is. */
  private byte @Nullable [] read(
      Digest digest, List<Integer> holders, boolean all, Set<Integer> good, List<Integer> damaged)
      throws IOException {
    byte[] bytes = null;
    for (int at : holders) {
      if (bytes != null && !all) {
        good.add(at); // As its server says.
        continue;
      }
      try {
        bytes = store(at).get(digest);
        good.add(at);
      } catch (RegenException.Damaged e) {
        damaged.add(at);
      } catch (RegenException.NotFound e) {
        // It went meanwhile.
      }
    }
    return bytes;
  }

  /** Stores a copy and reads it again: the one it replaces may be the last. */
  private void put(int at, Digest digest, byte[] bytes) throws IOException {
    store(at).put(new ChunkName("rebalance", "-", 0, digest, bytes.length), ByteBuffer.wrap(bytes));
    store(at).get(digest);
  }

  private void remove(int at, Digest digest) throws IOException {
    try {
      store(at).delete(digest);
      tally.removed();
    } catch (RegenException.Refused e) {
      // Leased; the next time.
      tally.left();
    }
  }

  private RemoteStore store(int at) {
    return shards.stores().get(at);
  }
}
