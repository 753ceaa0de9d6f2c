package dev.regen.snapshot.capture;

/** While it is open, no chunk that was there is collected. Closing it twice is once. */
public final class Hold implements AutoCloseable {
  private final Runnable release;
  private boolean closed;

  Hold(Runnable release) {
    this.release = release;
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      release.run();
    }
  }
}
