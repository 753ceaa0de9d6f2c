package dev.regen.snapshot.care;

import dev.regen.runtime.Why;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;

/** Counts what a {@link Rebalancing} does, and ends it where it is not wanted or of no use. */
final class Tally {
  private static final int TROUBLES_MAX = 10;

  /** A server that is away or full fails all. */
  private static final int FAILURES_MAX = 100;

  private final TransferProgress progress;
  private final List<String> troubles = new ArrayList<>();
  private long chunks;
  private long moved;
  private long repaired;
  private long healed;
  private long removed;
  private long left;
  private long records;
  private long bytes;
  private long failed;
  private long looked;

  Tally(TransferProgress progress) {
    this.progress = progress;
  }

  synchronized void seen() {
    chunks++;
    check();
  }

  synchronized void moved(long size) {
    moved++;
    bytes += size;
  }

  synchronized void repaired(long size) {
    repaired++;
    bytes += size;
  }

  synchronized void healed(long size) {
    healed++;
    bytes += size;
  }

  synchronized void removed() {
    removed++;
  }

  synchronized void left() {
    left++;
  }

  synchronized void record() {
    records++;
  }

  /** All that could be done with one is done. */
  synchronized void done() {
    progress.done(++looked, bytes);
    check();
  }

  /**
   * With one it could not be done.
   *
   * @throws IOException if that is so with too many, or nobody is to go on
   */
  synchronized void failed(String what, IOException why) throws IOException {
    if (why instanceof InterruptedIOException) {
      throw why;
    }
    failed++;
    if (troubles.size() < TROUBLES_MAX) {
      troubles.add(what + ": " + Why.of(why));
    }
    if (failed >= FAILURES_MAX) {
      throw new IOException(
          failed + " chunks could not be brought to their place, the last: " + Why.of(why), why);
    }
  }

  synchronized Rebalanced result() {
    return new Rebalanced(
        chunks, moved, repaired, healed, removed, left, records, bytes, troubles, failed);
  }

  private void check() {
    if (progress.cancelled()) {
      throw new CancellationException("cancelled");
    }
  }
}
