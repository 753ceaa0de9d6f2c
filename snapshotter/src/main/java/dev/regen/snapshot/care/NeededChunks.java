package dev.regen.snapshot.care;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.image.RemoteImages;
import dev.regen.snapshot.registry.Names;
import dev.regen.snapshot.registry.RegistryChunks;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.transfer.StoredChunks;
import java.io.IOException;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * Which chunks of a store somebody needs: those that a record names, of whatever kind. What was
 * needed at any {@link #look} counts as needed, so a look that a change crosses does no harm.
 *
 * <p>A further kind of record is added here, in {@link #look}; until then a store that has one is
 * not collected.
 */
final class NeededChunks {
  private static final String QUEUES = "queues/";

  private final RemoteStore store;
  private final StoredChunks snapshots;
  private final RemoteImages images;
  private final RegistryChunks registry;
  private final DigestSet needed = new DigestSet();

  NeededChunks(RemoteStore store) {
    this.store = store;
    this.snapshots = new StoredChunks(store);
    this.images = new RemoteImages(store);
    this.registry = new RegistryChunks(store);
  }

  /**
   * Looks at all records.
   *
   * @param givenUp which uploads do not count
   * @throws RegenException.Refused if a record is of an unknown kind
   * @throws RegenException.Damaged if nobody can say what one needs
   */
  void look(Predicate<StoredChunks.Upload> givenUp) throws IOException {
    // Twice: a list is not of one moment, and a record may be replaced by another meanwhile.
    TreeSet<String> records = new TreeSet<>(store.records(""));
    records.addAll(store.records(""));
    requireKnown(records);
    List<String> queues = records.stream().filter(name -> name.startsWith(QUEUES)).toList();
    snapshots.look(queues, givenUp, needed::add);
    images.chunks(needed::add);
    registry.look(needed::add);
  }

  /**
   * Looks whether all records are of known kinds.
   *
   * @throws RegenException.Refused if one is not
   */
  static void requireKnown(Collection<String> records) throws RegenException {
    for (String record : records) {
      if (!record.startsWith(QUEUES) && !RemoteImages.isOurs(record) && !Names.isOurs(record)) {
        throw StoredChunks.unknown(record);
      }
    }
  }

  /**
   * Images on their way, and when whoever pushes last said so. Which chunks these need nobody but
   * him can say.
   */
  Map<String, Instant> imagesOnTheirWay() throws IOException {
    return images.uploadsRenewed();
  }

  boolean contains(Digest digest) {
    return needed.contains(digest);
  }
}
