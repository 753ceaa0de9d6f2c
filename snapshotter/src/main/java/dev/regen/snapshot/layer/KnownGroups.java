package dev.regen.snapshot.layer;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.facts.GroupFact;
import dev.regen.snapshot.facts.GroupKey;
import dev.regen.snapshot.store.ChunkStore;
import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Groups that archives before have, by their keys. Whatever does not fit together, or is not there
 * any more, is not known: then its files are read. For one thread; collection must be kept away
 * from the store meanwhile.
 */
public final class KnownGroups {
  private static final Logger LOG = LoggerFactory.getLogger(KnownGroups.class);

  /** About 100 bytes of memory each; the groups of some 5 million files. */
  private static final int KNOWN_MAX = 400_000;

  private static final int INDEX_CHUNKS_MAX = 4;

  /** Reads the archive that facts are about, when first asked. */
  public interface Source {
    /** The archive, or null if it is not the one. */
    @Nullable Archive archive() throws IOException;
  }

  private record Known(Archived archived, GroupFact fact) {}

  private static final class Archived {
    private final Source source;
    private @Nullable Archive archive;
    private boolean asked;

    private Archived(Source source) {
      this.source = source;
    }

    private @Nullable Archive archive() {
      if (!asked) {
        asked = true;
        try {
          archive = source.archive();
        } catch (IOException e) {
          LOG.info("nothing is taken over from an archive: {}", e.getMessage());
        }
      }
      return archive;
    }
  }

  private final ChunkStore store;
  private final ChunkReader reader;
  private final Map<GroupKey, Known> known = new HashMap<>();
  private final Map<Chunk, byte[]> indexChunks = new LinkedHashMap<>(8, 0.75f, true);

  /** Nothing is known yet; {@code store} holds the chunks of all archives to come. */
  public KnownGroups(ChunkStore store, ChunkReader reader) {
    this.store = store;
    this.reader = reader;
  }

  /** Adds the groups of one archive; what was added before is found before. */
  public void add(Source source, List<GroupFact> facts) {
    Archived archived = new Archived(source);
    for (GroupFact fact : facts) {
      if (known.size() < KNOWN_MAX) {
        known.putIfAbsent(fact.key(), new Known(archived, fact));
      }
    }
  }

  /** The group of this key with all its chunks there, or null. */
  @Nullable StoredGroup find(GroupKey key) throws IOException {
    Known found = known.get(key);
    if (found == null) {
      return null;
    }
    Archive archive = found.archived.archive();
    if (archive == null || !fits(found.fact, archive)) {
      return null;
    }
    GroupFact fact = found.fact;
    return stored(
        archive.chunks().subList(fact.firstChunk(), fact.firstChunk() + fact.chunks()),
        archive.entryIndex().get(fact.indexChunk()),
        fact.indexOffset(),
        fact.indexBytes(),
        fact.entries());
  }

  /** The group that these are the parts of, or null if one of them is not there. */
  @Nullable StoredGroup stored(
      List<Chunk> chunks, Chunk indexChunk, int offset, int length, int entries)
      throws IOException {
    for (Chunk chunk : chunks) {
      if (!store.holds(chunk)) {
        return null;
      }
    }
    byte[] index = index(indexChunk);
    if (index == null || !EntryIndex.beginsGroup(index, offset, length)) {
      return null;
    }
    return new StoredGroup(chunks, indexChunk, index, offset, length, entries);
  }

  /** Whether nothing is known. */
  public boolean isEmpty() {
    return known.isEmpty();
  }

  private static boolean fits(GroupFact fact, Archive archive) {
    return fact.firstChunk() >= 0
        && fact.chunks() > 0
        && fact.chunks() <= archive.chunks().size() - fact.firstChunk()
        && fact.indexChunk() >= 0
        && fact.indexChunk() < archive.entryIndex().size()
        && fact.entries() > 0
        && fact.entries() <= archive.entries();
  }

  private byte @Nullable [] index(Chunk chunk) throws IOException {
    byte[] there = indexChunks.get(chunk);
    if (there != null) {
      return there;
    }
    try {
      byte[] raw = EntryIndex.raw(reader, chunk);
      if (indexChunks.size() == INDEX_CHUNKS_MAX) {
        indexChunks.remove(indexChunks.keySet().iterator().next());
      }
      indexChunks.put(chunk, raw);
      return raw;
    } catch (RegenException.Damaged e) {
      LOG.info("nothing is taken over from {}: {}", chunk.digest(), e.getMessage());
      return null;
    }
  }
}
