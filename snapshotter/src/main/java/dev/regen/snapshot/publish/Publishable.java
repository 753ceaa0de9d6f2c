package dev.regen.snapshot.publish;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.Snapshot;
import java.util.List;
import java.util.stream.Stream;

/**
 * A snapshot and the image that it lies on, all of which a store has.
 *
 * @param config of that image
 * @param base its layers, lowest first
 */
public record Publishable(Snapshot snapshot, JsonObject config, List<BaseLayer> base) {
  public Publishable {
    base = List.copyOf(base);
  }

  /**
   * A layer of the image below.
   *
   * @param digest of what its chunks hold
   * @param diffId of the plain tar, which is {@code digest} unless the engine had it packed
   * @param packing how the engine had it packed: TAR for not at all
   */
  public record BaseLayer(Digest digest, Digest diffId, LayerForm packing, List<Chunk> chunks) {
    public BaseLayer {
      chunks = List.copyOf(chunks);
    }

    /** Whether what its chunks hold is the plain tar. */
    boolean isPlain() {
      return digest.equals(diffId);
    }
  }

  /** Every chunk of every layer. */
  Stream<Chunk> chunks() {
    return Stream.concat(
        base.stream().flatMap(layer -> layer.chunks().stream()),
        snapshot.archive().chunks().stream());
  }
}
