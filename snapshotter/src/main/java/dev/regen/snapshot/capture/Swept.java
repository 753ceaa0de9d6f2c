package dev.regen.snapshot.capture;

import java.util.List;

/**
 * What a sweep did.
 *
 * @param manifests how many manifests that their queue doesn't name were removed
 * @param chunks how many chunks that no manifest names were removed
 * @param kept what was left alone because something else is damaged, in words
 */
public record Swept(long manifests, long chunks, List<String> kept) {
  public Swept {
    kept = List.copyOf(kept);
  }
}
