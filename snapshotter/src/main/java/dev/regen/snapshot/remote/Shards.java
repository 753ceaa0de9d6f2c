package dev.regen.snapshot.remote;

import dev.regen.snapshot.Digest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What a store that is several consists of.
 *
 * @param stores one for each server of the placement, in that order
 */
public record Shards(Placement placement, List<RemoteStore> stores) {
  public Shards {
    stores = List.copyOf(stores);
  }

  /** Where a record belongs: with the chunk that would have this digest. */
  public static Digest key(String record) {
    return Digest.of(ByteBuffer.wrap(record.getBytes(StandardCharsets.UTF_8)));
  }
}
