package dev.regen.snapshot.publish;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.registry.ContentDigest;
import dev.regen.snapshot.registry.RepositoryName;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What this process has found out about layers: the same chunks give the same layer, and need not
 * be read again. Safe for use by several threads at once.
 */
final class KnownLayers {
  private static final int MAX = 10_000;

  private final Map<String, Known> known = new LinkedHashMap<>();

  /**
   * A layer that was made.
   *
   * @param repository one that has the blob
   */
  record Known(RepositoryName repository, ContentDigest blob, ContentDigest diffId) {}

  synchronized Optional<Known> find(LayerForm form, List<Chunk> chunks) {
    return Optional.ofNullable(known.get(key(form, chunks)));
  }

  synchronized void remember(
      LayerForm form, List<Chunk> chunks, RepositoryName repository, PublishedLayers.Layer layer) {
    known.put(key(form, chunks), new Known(repository, layer.blob().digest(), layer.diffId()));
    if (known.size() > MAX) {
      known.remove(known.keySet().iterator().next());
    }
  }

  private static String key(LayerForm form, List<Chunk> chunks) {
    MessageDigest all = Digest.sha256();
    for (Chunk chunk : chunks) {
      all.update(chunk.digest().hex().getBytes(StandardCharsets.US_ASCII));
    }
    return form + " " + Digest.of(all).hex();
  }
}
