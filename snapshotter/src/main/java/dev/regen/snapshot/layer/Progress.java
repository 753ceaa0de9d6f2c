package dev.regen.snapshot.layer;

/** Hears how far long work has come, about twenty times a second, on the thread that does it. */
@FunctionalInterface
public interface Progress {
  /** Tells nobody. */
  Progress NONE = (entries, tarBytes) -> {};

  /** So many entries and bytes of the tar stream are done, counted from the start. */
  void advanced(long entries, long tarBytes);
}
