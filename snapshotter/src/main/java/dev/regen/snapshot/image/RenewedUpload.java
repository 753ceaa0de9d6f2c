package dev.regen.snapshot.image;

import dev.regen.snapshot.remote.Load;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/**
 * As another progress, and says now and then in the store that the upload goes on: what is said of
 * one that does not is removed. It is asked several times a second whether to end.
 */
final class RenewedUpload implements TransferProgress {
  /** Several times in the shortest grace period of a collection. */
  private static final long EVERY_NANOS = Duration.ofMinutes(3).toNanos();

  private final RemoteImages remote;
  private final RemoteImages.Upload upload;
  private final TransferProgress progress;
  private long lastNanos = System.nanoTime();

  RenewedUpload(RemoteImages remote, RemoteImages.Upload upload, TransferProgress progress) {
    this.remote = remote;
    this.upload = upload;
    this.progress = progress;
  }

  @Override
  public void step(String words) {
    progress.step(words);
  }

  @Override
  public void expected(long chunks, long bytes) {
    progress.expected(chunks, bytes);
  }

  @Override
  public void done(long chunks, long bytes) {
    progress.done(chunks, bytes);
  }

  @Override
  public void served(List<Load.Served> servers) {
    progress.served(servers);
  }

  @Override
  public boolean cancelled() {
    if (isDue()) {
      try {
        remote.begin(upload);
      } catch (IOException e) {
        // The next time is soon enough; that the store is away chunks find out by themselves.
      }
    }
    return progress.cancelled();
  }

  private synchronized boolean isDue() {
    boolean due = System.nanoTime() - lastNanos > EVERY_NANOS;
    lastNanos = due ? System.nanoTime() : lastNanos;
    return due;
  }
}
