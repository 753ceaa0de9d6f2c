package dev.regen.snapshot.store;

import dev.regen.runtime.durable.Disk;
import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Fills packs, writes them when they are full, and gives them their names. A pack is in memory
 * until it is written, and its chunks are found all the while; how many are in memory is bounded by
 * the number of threads that put.
 *
 * <p>Safe for use by several threads at once; what it does to {@link Packs} it does as their
 * monitor's owner.
 */
final class PackWriter {
  private final Disk disk;
  private final Path unfinished;
  private final Path named;
  private final int packBytes;
  private final Packs packs;

  /** All that follows is guarded by {@link #packs}. */
  private @Nullable Pack open;

  private final Set<Pack> beingWritten = new LinkedHashSet<>();
  private final List<Pack> unforced = new ArrayList<>();
  private final Deque<ByteBuffer> buffers = new ArrayDeque<>();

  /**
   * @param unfinished where packs are written
   * @param named where they get their names
   */
  PackWriter(Disk disk, Path unfinished, Path named, int packBytes, Packs packs) {
    this.disk = disk;
    this.unfinished = unfinished;
    this.named = named;
    this.packBytes = packBytes;
    this.packs = packs;
  }

  /**
   * Adds a chunk to the open pack; false if some pack has it.
   *
   * @throws IOException if a pack that was full could not be written; its chunks are missing then,
   *     and so is this one
   */
  boolean put(Digest digest, ByteBuffer stored) throws IOException {
    while (true) {
      Pack full;
      synchronized (packs) {
        if (packs.find(digest) != null) {
          return false;
        }
        full = open != null && !open.hasRoom(stored.remaining()) ? takeOpen() : null;
        if (full == null) {
          if (open == null) {
            open = packs.begin(buffers.isEmpty() ? Pack.buffer(packBytes) : buffers.pop());
          }
          packs.add(open, digest, stored);
          return true;
        }
      }
      write(full);
    }
  }

  /**
   * Forces every chunk put before this call, and the names of their packs. One thread at a time. If
   * this fails, chunks that could not be forced are missing afterwards.
   */
  void force() throws IOException {
    Pack last;
    synchronized (packs) {
      last = takeOpen();
    }
    if (last != null) {
      write(last);
    }
    List<Pack> now = unforced();
    try {
      for (Pack pack : now) {
        disk.force(pack.there());
      }
      for (Pack pack : now) {
        Path to = named.resolve(pack.name());
        pack.movesTo(to);
        disk.rename(pack.there(), to);
        pack.movedTo(to);
      }
      disk.forceDirectory(named);
    } catch (IOException e) {
      // After a failed force the kernel may call bytes clean that never arrived: start over.
      now.forEach(pack -> giveUp(pack, e));
      throw e;
    }
    synchronized (packs) {
      now.forEach(Pack::lasts);
      unforced.removeAll(now);
    }
  }

  /** The open pack, to be written by the caller. */
  private @Nullable Pack takeOpen() {
    Pack pack = open;
    if (pack != null) {
      beingWritten.add(pack);
      open = null;
    }
    return pack;
  }

  private void write(Pack pack) throws IOException {
    boolean written = false;
    try {
      Pack.Sealed sealed = pack.seal();
      Path file = unfinished.resolve(sealed.name());
      create(file, sealed.bytes());
      synchronized (packs) {
        buffers.push(pack.writtenTo(file));
        unforced.add(pack);
      }
      written = true;
    } finally {
      synchronized (packs) {
        // Whatever went wrong: what is in no file must not be found, or a snapshot would name it.
        if (!written) {
          packs.forget(pack);
        }
        beingWritten.remove(pack);
        packs.notifyAll();
      }
    }
  }

  private void create(Path file, ByteBuffer bytes) throws IOException {
    try {
      disk.create(file, bytes);
      disk.startWriteout(file);
    } catch (IOException e) {
      discard(file, e);
      throw e;
    }
  }

  /** The packs that are to be forced, those among them that others are still writing. */
  private List<Pack> unforced() throws InterruptedIOException {
    synchronized (packs) {
      Set<Pack> begun = new HashSet<>(beingWritten);
      try {
        while (begun.stream().anyMatch(beingWritten::contains)) {
          packs.wait();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted while chunks were written");
      }
      buffers.clear();
      return List.copyOf(unforced);
    }
  }

  private void giveUp(Pack pack, IOException cause) {
    synchronized (packs) {
      unforced.remove(pack);
      packs.forget(pack);
    }
    discard(pack.there(), cause);
  }

  private void discard(Path file, IOException cause) {
    try {
      disk.delete(file);
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }
}
