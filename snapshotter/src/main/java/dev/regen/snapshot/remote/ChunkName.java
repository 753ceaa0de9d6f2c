package dev.regen.snapshot.remote;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Digest;
import java.util.regex.Pattern;

/**
 * What a chunk is called on its way: whose it is, and what must arrive.
 *
 * @param image the image's or queue's name: 1 to 255 printable ASCII characters without spaces
 * @param layer the snapshot's id or the layer's digest, of the same form
 * @param index the chunk's place in that layer, from 0
 * @param digest of its stored bytes
 * @param sizeBytes how many these are
 */
public record ChunkName(String image, String layer, int index, Digest digest, int sizeBytes) {
  private static final Pattern TEXT = Pattern.compile("[!-~]{1,255}");

  public ChunkName {
    if (!TEXT.matcher(image).matches() || !TEXT.matcher(layer).matches()) {
      throw new IllegalArgumentException(
          "a chunk's image and layer are 1 to 255 printable ASCII characters without spaces");
    }
    if (index < 0 || index >= Archive.CHUNKS_MAX) {
      throw new IllegalArgumentException("a chunk's index is 0 to " + (Archive.CHUNKS_MAX - 1));
    }
    if (!RemoteStore.fits(sizeBytes)) {
      throw new IllegalArgumentException("chunk of " + sizeBytes + " stored bytes");
    }
  }
}
