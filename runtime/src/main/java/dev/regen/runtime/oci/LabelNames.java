package dev.regen.runtime.oci;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/** The names of the labels that ask something of Regen, and what is nearly one of them. */
public final class LabelNames {
  private static final String PREFIX = "regen.";
  private static final int TOLD_MAX = 10;
  private static final int NAME_MAX = 64;

  /**
   * All that Regen reads, and {@code regen.image} and {@code regen.rm}, which stand in for an
   * engine's record.
   */
  private static final List<String> KNOWN =
      List.of(
          "regen.queue",
          "regen.keep",
          "regen.exclude",
          "regen.on-failure",
          "regen.on-image-change",
          "regen.image",
          "regen.rm");

  private LabelNames() {}

  /**
   * Says of each label that begins with {@code regen.} and means nothing which one was perhaps
   * meant; at most {@value #TOLD_MAX} are told.
   *
   * @return in words, each to follow the name of the container
   */
  public static List<String> unknown(Collection<String> labels) {
    List<String> words = new ArrayList<>();
    for (String label : new TreeSet<>(labels)) {
      if (label.startsWith(PREFIX) && !KNOWN.contains(label) && words.size() < TOLD_MAX) {
        String shown = label.substring(0, Math.min(label.length(), NAME_MAX));
        words.add(
            "has the label "
                + shown.replaceAll("\\p{Cntrl}", "?")
                + ", which means nothing to Regen; the nearest that does is "
                + nearest(shown));
      }
    }
    return words;
  }

  private static String nearest(String label) {
    String nearest = KNOWN.getFirst();
    for (String known : KNOWN) {
      if (distance(label, known) < distance(label, nearest)) {
        nearest = known;
      }
    }
    return nearest;
  }

  /** How many letters have to be put in, taken out or replaced (Levenshtein). */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
