package dev.regen.snapshot.capture;

import dev.regen.snapshot.Digest;
import java.util.HashSet;
import java.util.Set;

/** Chunks that may be needed no more, until somebody has the time to look. */
final class Garbage {
  /** So many at most are remembered one by one; more make it a full sweep. */
  private static final int REMEMBERED_MAX = 1 << 20;

  private Set<Digest> digests = new HashSet<>();
  private boolean all;

  /**
   * What was remembered.
   *
   * @param all every chunk may be needed no more
   */
  record Taken(Set<Digest> digests, boolean all) {}

  synchronized void add(Set<Digest> more) {
    if (digests.size() + more.size() > REMEMBERED_MAX) {
      all = true;
    } else {
      digests.addAll(more);
    }
  }

  synchronized void addAll() {
    all = true;
  }

  synchronized boolean isEmpty() {
    return !all && digests.isEmpty();
  }

  synchronized Taken take() {
    Taken taken = new Taken(digests, all);
    digests = new HashSet<>();
    all = false;
    return taken;
  }
}
