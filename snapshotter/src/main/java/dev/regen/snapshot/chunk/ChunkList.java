package dev.regen.snapshot.chunk;

import dev.regen.snapshot.Chunk;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Chunks in the order in which they were submitted, whichever is ready first. Grown by one thread;
 * its places are filled by others, and read once the pipeline has been drained.
 */
public final class ChunkList {
  /** A place in the list; the same one stands in it as often as its chunk is repeated. */
  static final class Place {
    private volatile @Nullable Chunk chunk;

    void fill(Chunk ready) {
      chunk = ready;
    }
  }

  private final List<Place> places = new ArrayList<>();

  Place next() {
    Place place = new Place();
    places.add(place);
    return place;
  }

  void repeat(Place place) {
    places.add(place);
  }

  /** Adds a chunk that is stored already. */
  void add(Chunk stored) {
    next().fill(stored);
  }

  public int size() {
    return places.size();
  }

  /**
   * All chunks, in order.
   *
   * @throws IllegalStateException if one is not ready yet
   */
  public List<Chunk> chunks() {
    List<Chunk> chunks = new ArrayList<>(places.size());
    for (Place place : places) {
      Chunk chunk = place.chunk;
      if (chunk == null) {
        throw new IllegalStateException("chunk " + chunks.size() + " is not ready");
      }
      chunks.add(chunk);
    }
    return chunks;
  }
}
