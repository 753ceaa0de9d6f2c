package dev.regen.snapshot.transfer;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.ChunkName;
import dev.regen.snapshot.remote.Load;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Sends chunks while they are made: asks of some at a time which of them a store lacks, and sends
 * those, several at once, while the next are made.
 */
public final class ChunkSending {
  private static final int ASK_CHUNKS_MAX = 64;
  private static final int ASK_BYTES_MAX = 4 << 20;

  private final RemoteStore store;
  private final String image;
  private final String layer;
  private final Set<Digest> wanted;
  private final TransferProgress progress;
  private final Set<Digest> sent = new HashSet<>();
  private long sentBytes;

  /** A chunk and its bytes as they are to be stored. */
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  public record Made(Chunk chunk, int index, byte[] stored) implements Crew.Item {
    @Override
    public boolean isInMemory() {
      return true;
    }
  }

  /** Makes chunks. For one thread. */
  @FunctionalInterface
  public interface Maker {
    /** The next one, or null after the last. */
    @Nullable Made next() throws IOException;
  }

  /**
   * @param image what the chunks belong to, as {@link ChunkName} has it
   * @param layer likewise
   * @param wanted to be sent even if the store says that it has them
   * @param progress asked whether to end; not told how far it is
   */
  public ChunkSending(
      RemoteStore store,
      String image,
      String layer,
      Set<Digest> wanted,
      TransferProgress progress) {
    this.store = store;
    this.image = image;
    this.layer = layer;
    this.wanted = Set.copyOf(wanted);
    this.progress = progress;
  }

  /**
   * Makes and sends all.
   *
   * @throws RegenException.Refused if there are more than one layer may have, or the store has no
   *     room
   * @throws java.util.concurrent.CancellationException soon after the progress said so
   */
  public void run(Maker maker) throws IOException {
    Deque<Made> ready = new ArrayDeque<>();
    Crew crew = new Crew(store, Load.Way.PUT, 1, quiet());
    crew.run(
        () -> {
          boolean more = true;
          while (ready.isEmpty() && more) {
            more = makeSome(maker, ready);
            crew.check();
          }
          return ready.poll();
        },
        made -> {
          ChunkName name =
              new ChunkName(
                  image, layer, made.index(), made.chunk().digest(), made.stored().length);
          crew.remotely(() -> {
            store.put(name, ByteBuffer.wrap(made.stored()));
            return name;
          });
        });
  }

  /** How many different chunks were sent. */
  public int sent() {
    return sent.size();
  }

  public long sentBytes() {
    return sentBytes;
  }

  /** Makes some and keeps those that are to be sent; false after the last. */
  private boolean makeSome(Maker maker, Deque<Made> ready) throws IOException {
    List<Made> asked = new ArrayList<>();
    int bytes = 0;
    boolean more = true;
    while (more && asked.size() < ASK_CHUNKS_MAX && bytes < ASK_BYTES_MAX) {
      Made made = maker.next();
      more = made != null;
      if (made != null) {
        if (made.index() >= Archive.CHUNKS_MAX) {
          throw new RegenException.Refused(
              "a layer of more than " + Archive.CHUNKS_MAX + " chunks cannot be pushed");
        }
        asked.add(made);
        bytes += made.stored().length;
      }
    }
    if (asked.isEmpty()) {
      return false;
    }
    Set<Digest> missing = store.missing(asked.stream().map(one -> one.chunk().digest()).toList());
    for (Made made : asked) {
      Digest digest = made.chunk().digest();
      if ((missing.contains(digest) || wanted.contains(digest)) && sent.add(digest)) {
        sentBytes += made.stored().length;
        ready.add(made);
      }
    }
    return more;
  }

  private TransferProgress quiet() {
    return new TransferProgress() {
      @Override
      public void served(List<Load.Served> servers) {
        progress.served(servers);
      }

      @Override
      public boolean cancelled() {
        return progress.cancelled();
      }
    };
  }
}
