package dev.regen.snapshot.layer;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Tells where the files of an archive have holes; asked for each file, in the archive's order. */
@FunctionalInterface
interface HoleIndex {
  /** Knows nothing: long runs of zeros become holes. */
  HoleIndex FIND = (member, headerOffsetBytes) -> null;

  /**
   * The holes of a file, or null if they are to be found.
   *
   * @param headerOffsetBytes where the first header of {@code member} begins in the tar stream
   */
  @Nullable Holes of(TarMember member, long headerOffsetBytes) throws IOException;
}
