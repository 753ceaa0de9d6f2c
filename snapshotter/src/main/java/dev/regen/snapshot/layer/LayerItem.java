package dev.regen.snapshot.layer;

import java.io.IOException;
import java.time.Instant;
import java.util.List;

/** An entry of a layer and the way to what is in it, wherever the layer is. */
public interface LayerItem {
  /** What is known without a look at content and attributes. */
  EntryIndex.Entry entry();

  /** Of a further name of a file the file itself, under its first name; else this. */
  LayerItem resolved() throws IOException;

  /** Whether {@link #xattrs} may hold any; asks nobody. */
  boolean mayHaveXattrs();

  /** The extended attributes that a layer keeps, in byte order of names. */
  List<Xattr> xattrs() throws IOException;

  /** The content of a file; good until the next one of the same layer is asked for. */
  FileBytes content() throws IOException;

  /** Whether it is certain, by its change time, that nothing of it changed after {@code moment}. */
  boolean isOlderThan(Instant moment);

  /** Whether both are stored as the same bytes, headers included; false where nobody can say. */
  boolean isStoredAs(LayerItem other);
}
