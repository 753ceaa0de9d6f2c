package dev.regen.snapshot.care;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.image.RemoteImages;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Removes from a store what is said of layers that no image has; their chunks are then needed no
 * more, as far as that goes. While an image is being pushed all stay: it may count on any.
 */
final class UnnamedLayers {
  private final RemoteStore store;
  private final RemoteImages images;

  UnnamedLayers(RemoteStore store) {
    this.store = store;
    this.images = new RemoteImages(store);
  }

  /**
   * What was done.
   *
   * @param removed how many layers are gone
   * @param kept whether others may stay that no image has: one is being pushed, or nobody can say
   *     what one has
   */
  record Result(int removed, boolean kept) {}

  /**
   * Removes them.
   *
   * @throws IOException if a server does not answer; what was not removed goes the next time
   */
  Result remove() throws IOException {
    // Before anything else is read: a push says so before it looks which layers are there.
    Set<String> before = Set.copyOf(images.imageRecords());
    Set<Digest> used = new HashSet<>();
    try {
      NeededChunks.requireKnown(store.records(""));
      if (!images.uploadsRenewed().isEmpty()) {
        return new Result(0, true);
      }
      images.layersInUse(used::add);
    } catch (RegenException.Damaged | RegenException.Refused e) {
      return new Result(0, true);
    }
    int removed = 0;
    for (Map.Entry<Digest, List<String>> layer : images.layerRecords().entrySet()) {
      if (!used.contains(layer.getKey())) {
        if (!removed(layer.getValue(), before)) {
          return new Result(removed, true);
        }
        images.found(layer.getKey());
        removed++;
      }
    }
    return new Result(removed, false);
  }

  /** Removes one, or puts it back if an image came meanwhile that may have it. */
  private boolean removed(List<String> records, Set<String> before) throws IOException {
    Map<String, byte[]> contents = images.contents(records);
    for (String record : records) {
      store.deleteRecord(record);
    }
    if (before.containsAll(images.imageRecords())) {
      return true;
    }
    for (Map.Entry<String, byte[]> record : contents.entrySet()) {
      store.replaceRecord(record.getKey(), record.getValue(), null);
    }
    return false;
  }
}
