package dev.regen.snapshot.remote.s3;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.s3.Spots.Spot;
import dev.regen.snapshot.store.PackList;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Deletes chunks of packs that are never changed: a place is marked, after the grace period it is
 * removed, and a pack of which less than half lives is packed again. What it asks the time is the
 * server.
 *
 * <p>Stopped anywhere it leaves more than there should be, never less. Two at once do the same work
 * twice.
 */
final class Deletion {
  private final StoredPacks packs;
  private final Leases leases;
  private final Duration grace;

  Deletion(StoredPacks packs, Leases leases, Duration grace) {
    this.packs = packs;
    this.leases = leases;
    this.grace = grace;
  }

  /** As {@link S3Store#delete(Collection)}. */
  Set<Digest> delete(Collection<Digest> digests) throws IOException {
    packs.look();
    Map<Spot, Instant> marked = packs.marked();
    Instant now = leases.now();
    Instant oldest = leases.oldest(now);
    Set<Spot> toMark = new LinkedHashSet<>();
    Set<Spot> toRemove = new LinkedHashSet<>();
    Set<Digest> left = new LinkedHashSet<>();
    for (Digest digest : new LinkedHashSet<>(digests)) {
      for (KnownPacks.Place place : packs.known().all(digest)) {
        Spot spot = new Spot(place.pack(), digest);
        Instant since = marked.get(spot);
        if (since == null) {
          toMark.add(spot);
          left.add(digest);
        } else if (isOver(since, now, oldest)) {
          toRemove.add(spot);
        } else {
          left.add(digest);
        }
      }
    }
    for (Map.Entry<Spot, Instant> other : marked.entrySet()) {
      Spot spot = other.getKey();
      if (isOver(other.getValue(), now, oldest)
          && packs.known().find(spot.digest()) != null
          && packs.isThere(spot)) {
        // It was sent again since.
        toRemove.add(spot);
      }
    }
    packs.mark(toMark);
    packs.remove(toRemove);
    repack(toRemove);
    return left;
  }

  /** Whether nobody can count any more on what was marked then. */
  private boolean isOver(Instant since, Instant now, @Nullable Instant oldest) {
    return since.plus(grace).isBefore(now) && (oldest == null || oldest.isAfter(since));
  }

  private void repack(Collection<Spot> removed) throws IOException {
    Set<String> names = new LinkedHashSet<>();
    removed.forEach(spot -> names.add(spot.pack()));
    Map<String, Long> sizes = packs.sizes();
    names.retainAll(sizes.keySet());
    List<String> emptied = new ArrayList<>();
    Moving moving = new Moving();
    for (String name : names) {
      try {
        if (isTaken(name, sizes.getOrDefault(name, 0L), moving)) {
          emptied.add(name);
        }
      } catch (RegenException.NotFound e) {
        // Somebody else has packed it again, and it went just now.
      }
    }
    // What moved lasts in its new place before the old one goes.
    moving.store();
    packs.delete(emptied);
    if (!emptied.isEmpty()) {
      packs.forgetSpots();
    }
  }

  /** Whether a pack is to go, and what lives of it was taken. */
  private boolean isTaken(String name, long size, Moving moving) throws IOException {
    PackList list = packs.list(name, size);
    List<Integer> living = living(name, list);
    long bytes = living.stream().mapToLong(entry -> length(list, entry)).sum();
    return 2 * bytes < size - list.bytes() && moving.take(name, list, living);
  }

  private List<Integer> living(String name, PackList list) {
    List<Integer> living = new ArrayList<>();
    for (int entry = 0; entry < list.digests().size(); entry++) {
      if (!packs.known().isRemoved(name, entry)) {
        living.add(entry);
      }
    }
    return living;
  }

  /** Chunks on their way into new packs. */
  private final class Moving {
    private List<Digest> digests = new ArrayList<>();
    private List<ByteBuffer> chunks = new ArrayList<>();
    private int bytes;

    /**
     * Reads what lives of a pack; false if that is damaged, and then nothing of it is taken.
     *
     * @throws RegenException.NotFound if the pack is gone; nothing of it is taken
     */
    boolean take(String name, PackList list, List<Integer> living) throws IOException {
      List<Digest> itsDigests = new ArrayList<>();
      List<ByteBuffer> itsChunks = new ArrayList<>();
      int itsBytes = 0;
      for (int entry : living) {
        int offset = entry == 0 ? 0 : list.ends()[entry - 1];
        KnownPacks.Place place = new KnownPacks.Place(name, entry, offset, length(list, entry));
        ByteBuffer chunk = ByteBuffer.wrap(packs.read(place));
        if (!Digest.of(chunk.duplicate()).equals(list.digests().get(entry))) {
          return false;
        }
        itsDigests.add(list.digests().get(entry));
        itsChunks.add(chunk);
        itsBytes += chunk.remaining();
      }
      digests.addAll(itsDigests);
      chunks.addAll(itsChunks);
      bytes += itsBytes;
      if (bytes >= Filling.FULL_BYTES || digests.size() >= PackList.ENTRIES_MAX / 2) {
        store();
      }
      return true;
    }

    void store() throws IOException {
      if (!digests.isEmpty()) {
        packs.store(digests, chunks);
        digests = new ArrayList<>();
        chunks = new ArrayList<>();
        bytes = 0;
      }
    }
  }

  private static int length(PackList list, int entry) {
    return list.ends()[entry] - (entry == 0 ? 0 : list.ends()[entry - 1]);
  }
}
