package dev.regen.agent.container;

import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.transfer.TransferProgress;
import java.io.IOException;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Fetches the image that a snapshot lies on while chunks of the snapshot still come. */
final class EarlyImage implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EarlyImage.class);

  private final BaseImages images;
  private final RemoteStore store;
  private final TransferProgress progress;
  private @Nullable Thread thread;
  private volatile boolean ended;
  private volatile BaseImages.@Nullable Brought brought;

  /**
   * @param progress of all; what is done early is not told
   */
  EarlyImage(BaseImages images, RemoteStore store, TransferProgress progress) {
    this.images = images;
    this.store = store;
    this.progress = progress;
  }

  /** Begins, once; returns at once. */
  void begin(Snapshot snapshot) {
    if (thread == null) {
      thread = Thread.ofPlatform().name("early-image").daemon().start(() -> run(snapshot));
    }
  }

  /** What came of it; what was not done early is done now. */
  BaseImages.Brought result(Snapshot snapshot) throws IOException {
    join();
    BaseImages.Brought done = brought;
    return done != null ? done : images.fetch(store, snapshot, progress);
  }

  /** Ends what still goes on, and waits for that. */
  @Override
  public void close() {
    ended = true;
    join();
  }

  private void run(Snapshot snapshot) {
    TransferProgress quiet =
        new TransferProgress() {
          @Override
          public boolean cancelled() {
            return ended || progress.cancelled();
          }
        };
    try {
      BaseImages.Brought done = images.fetch(store, snapshot, quiet);
      if (done.trouble() == null) {
        brought = done;
      }
    } catch (IOException | RuntimeException e) {
      LOG.info("the image of {} is fetched when that is here: {}", snapshot.words(), e.toString());
    }
  }

  private void join() {
    Thread running = thread;
    try {
      if (running != null) {
        running.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted");
    }
  }
}
