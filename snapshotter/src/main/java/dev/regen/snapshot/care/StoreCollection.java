package dev.regen.snapshot.care;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.transfer.StoredChunks;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;

/**
 * Deletes from a store the chunks that no record names, what is said of layers that no image has,
 * and what was said of pushes that were given up. It looks which these are, waits out a grace
 * period, looks again, and deletes what was not needed either time.
 *
 * <p>Whoever pushes meanwhile is not in danger: what he asked about is leased, which outlasts the
 * time until his upload has a record, and that counts as long as he renews it. Stopped anywhere
 * this leaves more than there should be, never less; two at once do no harm.
 */
public final class StoreCollection {
  /** Longer than any lease. */
  public static final Duration GRACE = Duration.ofMinutes(15);

  /** So many are collected in one go; they are in memory. */
  private static final int CANDIDATES_MAX = 100_000;

  private static final int AT_ONCE = 1_000;

  /** Well within a lease. */
  private static final long LOOK_AGAIN_NANOS = Duration.ofMinutes(2).toNanos();

  private final RemoteStore store;
  private final InstantSource clock;
  private final Pauses pauses;

  public StoreCollection(RemoteStore store, InstantSource clock, Pauses pauses) {
    this.store = store;
    this.clock = clock;
    this.pauses = pauses;
  }

  /**
   * What was done.
   *
   * @param chunks how many there were
   * @param deleted how many of these are gone
   * @param left how many are not needed and still there: leased, or more than fit in one go
   * @param uploads pushes that were given up and are forgotten
   * @param images images that are being pushed: which chunks these need is not known yet, so all
   *     stay
   */
  public record Result(long chunks, long deleted, long left, long uploads, long images) {}

  /**
   * Collects.
   *
   * @param grace at least {@link #GRACE}, unless nobody else uses the store
   * @throws dev.regen.snapshot.RegenException.Refused if a record is of a kind that is not known
   * @throws dev.regen.snapshot.RegenException.Damaged if nobody can say what a record needs;
   *     nothing was deleted then, as in all other cases before the second look
   * @throws CancellationException soon after the progress said so
   * @throws IOException if a server does not answer
   */
  public Result run(Duration grace, TransferProgress progress) throws IOException {
    store.requireAll();
    progress.step("looking at what is needed");
    new UnnamedLayers(store).remove();
    NeededChunks needed = new NeededChunks(store);
    Map<String, String> lapsed = new HashMap<>();
    needed.look(upload -> isLapsed(upload, lapsed));
    long images = imagesOnTheirWay(needed, lapsed);
    progress.step("looking at what is there");
    Candidates candidates = new Candidates(needed);
    store.listAll(candidates::see);
    if (images > 0 || (candidates.digests.isEmpty() && lapsed.isEmpty())) {
      return new Result(candidates.seen, 0, candidates.unneeded(), 0, images);
    }
    if (store.deletesInTwoSteps()) {
      store.delete(candidates.digests);
    }
    progress.step(
        "waiting for "
            + grace.toSeconds()
            + " s, then looking again: "
            + candidates.digests.size()
            + " of "
            + candidates.seen
            + " chunks seem to be of no use");
    pauses.pass(grace, progress);
    progress.step("looking again at what is needed");
    Map<String, String> still = new HashMap<>();
    needed.look(
        upload -> isLapsed(upload, still) && upload.tag().equals(lapsed.get(upload.record())));
    images = imagesOnTheirWay(needed, still);
    if (images > 0) {
      return new Result(candidates.seen, 0, candidates.unneeded(), 0, images);
    }
    still.entrySet().retainAll(lapsed.entrySet());
    for (String record : still.keySet()) {
      store.deleteRecord(record);
    }
    long left = delete(candidates, needed, still, progress);
    return new Result(
        candidates.seen, candidates.garbage - left, left + candidates.further, still.size(), 0);
  }

  private static final class Candidates {
    private final NeededChunks needed;
    private final List<Digest> digests = new ArrayList<>();
    private long seen;
    private long further;
    private long garbage;

    Candidates(NeededChunks needed) {
      this.needed = needed;
    }

    /** As far as was looked. */
    long unneeded() {
      return digests.size() + further;
    }

    /** From here on they stay, and count as garbage. */
    long leave(int from) {
      long rest = (long) digests.size() - from;
      garbage += rest;
      return rest;
    }

    void see(Digest digest) {
      seen++;
      if (!needed.contains(digest)) {
        if (digests.size() < CANDIDATES_MAX) {
          digests.add(digest);
        } else {
          further++;
        }
      }
    }
  }

  private long delete(
      Candidates candidates,
      NeededChunks needed,
      Map<String, String> lapsed,
      TransferProgress progress)
      throws IOException {
    progress.step("deleting");
    long lookedAt = System.nanoTime();
    long left = 0;
    for (int from = 0; from < candidates.digests.size(); from += AT_ONCE) {
      if (progress.cancelled()) {
        throw new CancellationException("cancelled");
      }
      if (System.nanoTime() - lookedAt > LOOK_AGAIN_NANOS) {
        lookedAt = System.nanoTime();
        needed.look(upload -> upload.tag().equals(lapsed.get(upload.record())));
        if (imagesOnTheirWay(needed, new HashMap<>()) > 0) {
          return left + candidates.leave(from);
        }
      }
      List<Digest> some =
          candidates
              .digests
              .subList(from, Math.min(candidates.digests.size(), from + AT_ONCE))
              .stream()
              .filter(digest -> !needed.contains(digest))
              .toList();
      candidates.garbage += some.size();
      left += store.delete(some).size();
      progress.done(candidates.garbage - left, 0);
    }
    return left;
  }

  /** How many images are being pushed; those that were given up go to {@code lapsed}. */
  private long imagesOnTheirWay(NeededChunks needed, Map<String, String> lapsed)
      throws IOException {
    long underWay = 0;
    for (Map.Entry<String, Instant> image : needed.imagesOnTheirWay().entrySet()) {
      if (isOver(image.getValue())) {
        lapsed.put(image.getKey(), image.getValue().toString());
      } else {
        underWay++;
      }
    }
    return underWay;
  }

  private boolean isOver(Instant renewedAt) {
    return !renewedAt.plus(StoredChunks.UPLOAD_LEASE).isAfter(clock.instant());
  }

  private boolean isLapsed(StoredChunks.Upload upload, Map<String, String> lapsed) {
    if (!isOver(upload.renewedAt())) {
      return false;
    }
    lapsed.put(upload.record(), upload.tag());
    return true;
  }
}
