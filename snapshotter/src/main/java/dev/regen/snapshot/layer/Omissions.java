package dev.regen.snapshot.layer;

import dev.regen.snapshot.Archive;
import java.util.ArrayList;
import java.util.List;

/** What could not be kept: counted, and the first of it in words. */
final class Omissions {
  private final List<String> words = new ArrayList<>();
  private long count;

  void add(String what) {
    count++;
    if (words.size() < Archive.OMITTED_MAX) {
      words.add(what);
    }
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
