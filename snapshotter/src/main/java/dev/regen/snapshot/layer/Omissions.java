package dev.regen.snapshot.layer;

import dev.regen.snapshot.Archive;
import java.util.ArrayList;
import java.util.List;

/** What could not be kept: counted, and the first of it in words. */
class Omissions {
  private final List<String> words = new ArrayList<>();
  private long count;

  void add(String what) {
    count++;
    if (words.size() < Archive.OMITTED_MAX) {
      words.add(what);
    }
  }

  /** A socket that a walk comes to. */
  void socket(byte[] path) {
    add("socket " + Paths.shown(path));
  }

  /** Counts what is told by no word of its own. */
  void more(long unnamed) {
    count += unnamed;
  }

  List<String> words() {
    return words;
  }

  long count() {
    return count;
  }
}
