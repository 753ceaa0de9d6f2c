package dev.regen.snapshot.image;

import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/** An image that the engine of this host has. */
public interface LocalImage {
  /** What the engine calls it. */
  Digest id();

  /** Its layers as plain tars, lowest first. */
  List<Digest> diffIds();

  /** About what its layers take. */
  long sizeBytes();

  /**
   * All of it, as {@code docker save} writes it. The engine reads the whole image for that, and
   * writes a copy of it to its disk before the first byte comes.
   */
  InputStream save() throws IOException;
}
