package dev.regen.snapshot.transfer;

import dev.regen.snapshot.remote.Load;
import java.util.List;

/** Hears how far a transfer is, on any thread, and says when it is to end. */
public interface TransferProgress {
  /** Tells nobody, and goes on to the end. */
  TransferProgress NONE = new TransferProgress() {};

  /** It does this now, for a person. */
  default void step(String words) {}

  /** So much is to be sent or fetched. */
  default void expected(long chunks, long bytes) {}

  /** So much of that is done. */
  default void done(long chunks, long bytes) {}

  /** So much went to and from each server of the store so far, that of others included. */
  default void served(List<Load.Served> servers) {}

  /** Whether it is to end; asked several times a second. */
  default boolean cancelled() {
    return false;
  }
}
