package dev.regen.snapshot.remote.s3;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Places in packs, as an object's bytes: for each the pack's name and the chunk's digest, 32 bytes
 * each. The object is named by the SHA-256 of its bytes.
 */
final class Spots {
  /** The most in one object. */
  static final int COUNT_MAX = 10_000;

  private static final int DIGEST_BYTES = 32;
  private static final int SPOT_BYTES = 2 * DIGEST_BYTES;

  /** The most that the bytes of one object are. */
  static final int BYTES_MAX = COUNT_MAX * SPOT_BYTES;

  private static final Pattern NAME = Pattern.compile("[0-9a-f]{64}");

  private Spots() {}

  /** A chunk in a pack. */
  record Spot(String pack, Digest digest) {}

  /** What so many take. */
  static long bytes(long count) {
    return count * SPOT_BYTES;
  }

  static byte[] encode(Collection<Spot> spots) {
    ByteBuffer bytes = ByteBuffer.allocate(spots.size() * SPOT_BYTES);
    for (Spot spot : spots) {
      bytes.put(HexFormat.of().parseHex(spot.pack()));
      bytes.put(HexFormat.of().parseHex(spot.digest().hex()));
    }
    return bytes.array();
  }

  /**
   * @throws RegenException.Damaged if the bytes are not those that the name says
   */
  static List<Spot> decode(String key, byte[] bytes) throws RegenException {
    String name = key.substring(key.lastIndexOf('/') + 1);
    if (bytes.length % SPOT_BYTES != 0 || !name(bytes).equals(name)) {
      throw new RegenException.Damaged("the object " + key + " of the store is damaged");
    }
    List<Spot> spots = new ArrayList<>();
    byte[] digest = new byte[DIGEST_BYTES];
    for (ByteBuffer rest = ByteBuffer.wrap(bytes); rest.hasRemaining(); ) {
      rest.get(digest);
      String pack = HexFormat.of().formatHex(digest);
      rest.get(digest);
      spots.add(new Spot(pack, new Digest(HexFormat.of().formatHex(digest))));
    }
    return spots;
  }

  /** Whether an object's key is one that {@link #name} gives. */
  static boolean isName(String key) {
    return NAME.matcher(key.substring(key.lastIndexOf('/') + 1)).matches();
  }

  static String name(byte[] bytes) {
    return Digest.of(ByteBuffer.wrap(bytes)).hex();
  }
}
