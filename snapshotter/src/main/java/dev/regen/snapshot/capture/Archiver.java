package dev.regen.snapshot.capture;

import dev.regen.snapshot.layer.ArchiveRequest;
import dev.regen.snapshot.layer.Archived;
import dev.regen.snapshot.layer.FrozenTree;
import dev.regen.snapshot.layer.KnownGroups;
import dev.regen.snapshot.layer.Progress;
import java.io.IOException;
import java.util.function.BooleanSupplier;

/** Makes an archive of a tree and puts its chunks into a store, unforced: {@code LayerArchiver}. */
@FunctionalInterface
public interface Archiver {
  /**
   * Archives {@code tree}, which nobody may be changing.
   *
   * @param known what need not be read again if it has not changed
   * @throws java.util.concurrent.CancellationException soon after {@code cancelled} has said true
   */
  Archived archive(
      FrozenTree tree,
      ArchiveRequest request,
      KnownGroups known,
      Progress progress,
      BooleanSupplier cancelled)
      throws IOException;
}
