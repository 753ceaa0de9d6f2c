package dev.regen.agent.registry;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.transfer.TransferProgress;

/** How far a publication is, in the words of the agent's jobs. Safe for use by several threads. */
final class PublishJob implements TransferProgress {
  private String step = "publishing";
  private long chunksExpected;
  private long bytesExpected;
  private long chunks;
  private long bytes;
  private boolean cancelled;

  @Override
  public synchronized void step(String words) {
    step = words;
  }

  @Override
  public synchronized void expected(long chunksNow, long bytesNow) {
    chunksExpected = chunksNow;
    bytesExpected = bytesNow;
  }

  @Override
  public synchronized void done(long chunksNow, long bytesNow) {
    chunks = chunksNow;
    bytes = bytesNow;
  }

  @Override
  public synchronized boolean cancelled() {
    return cancelled;
  }

  synchronized void cancel() {
    cancelled = true;
  }

  synchronized JsonObject json() {
    return new JsonObject()
        .with("step", step)
        .with("entries", chunks)
        .with("entriesExpected", chunksExpected)
        .with("bytes", bytes)
        .with("bytesExpected", bytesExpected);
  }
}
