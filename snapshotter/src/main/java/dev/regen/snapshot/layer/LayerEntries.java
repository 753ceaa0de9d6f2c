package dev.regen.snapshot.layer;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The entries of a layer in {@link WalkOrder}, wherever it is: in an archive, on disk, or merged
 * out of several. An opaque mark follows its directory, under the same path. For one thread.
 */
public interface LayerEntries extends AutoCloseable {
  /** The next entry, or null after the last; its content can be read until this is closed. */
  @Nullable LayerItem next() throws IOException;

  @Override
  void close();
}
