package dev.regen.snapshot.layer;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Unpacks a layer that someone else made, in any of tar's formats, plain, zstd or gzip.
 *
 * <p>The stream is taken for hostile. What cannot be kept exactly, or must not come from outside,
 * is refused with the name of the entry: nothing is left out in silence. Runs of zeros of 64 KiB
 * become holes.
 */
public final class LayerImport {
  private static final long BYTES_MAX = 1L << 40;

  /**
   * How much a layer may hold.
   *
   * @param entriesMax members of the tar stream, at least 1
   * @param bytesMax length of the tar stream, holes counted as what they stand for, at least 1
   */
  public record Limits(long entriesMax, long bytesMax) {
    public Limits {
      if (entriesMax < 1 || bytesMax < 1) {
        throw new IllegalArgumentException("limits under 1");
      }
    }

    /**
     * {@link Archive#ENTRIES_MAX}, and what is free where {@code directory} is less 5 %, at most 1
     * TiB.
     */
    public static Limits of(Path directory) throws IOException {
      long free = Files.getFileStore(directory).getUsableSpace();
      return new Limits(Archive.ENTRIES_MAX, Math.clamp(free - free / 20, 1, BYTES_MAX));
    }
  }

  /**
   * Makes the layer tree {@code target}, which must not exist and whose parent must. Leaves the
   * stream open. Forces nothing to disk.
   *
   * @throws RegenException.BadInput naming the entry and what is wrong with it; nothing of the
   *     target is left
   * @throws RegenException.Refused if the target is there already
   * @throws IOException if the stream or the disk fails; nothing of the target is left
   */
  public void unpack(InputStream tarOrCompressed, Path target, Limits limits) throws IOException {
    try (StreamSource source = new StreamSource(tarOrCompressed)) {
      TarReader tar = new TarReader(source, limits.entriesMax(), limits.bytesMax());
      HostIds ids = new HostIds(List.of(), List.of());
      new TreeUnpacking(tar, target, ids).run();
    } catch (BadLayerException e) {
      throw new RegenException.BadInput(TreeUnpacking.refusal(String.valueOf(e.getMessage())));
    }
  }
}
