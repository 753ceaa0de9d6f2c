package dev.regen.snapshot.layer;

import dev.regen.snapshot.chunk.ChunkSink;
import dev.regen.snapshot.facts.GroupFact;
import dev.regen.snapshot.facts.GroupKey;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Brings groups into an archive: those known from an archive before by their chunks' names and a
 * copy of their records, without a look at their files, and the others by reading them.
 */
final class GroupWriter {
  private final ChunkSink tar;
  private final EntryIndexWriter index;
  private final EntryWriter entries;
  private final GroupKeys keys;
  private final KnownGroups known;
  private final Omissions omissions;
  private final List<GroupFact> facts = new ArrayList<>();

  GroupWriter(
      ChunkSink tar,
      EntryIndexWriter index,
      EntryWriter entries,
      GroupKeys keys,
      KnownGroups known,
      Omissions omissions) {
    this.tar = tar;
    this.index = index;
    this.entries = entries;
    this.keys = keys;
    this.known = known;
    this.omissions = omissions;
  }

  /** What is known now of the groups written. */
  List<GroupFact> facts() {
    return facts;
  }

  /** Writes a group into chunks of its own. */
  void write(Group group) throws IOException {
    GroupKey key = keys.of(group);
    StoredGroup stored = key == null ? null : known.find(key);
    index.groupBegins(group.entries().getFirst().path());
    int indexChunk = index.chunk();
    int indexOffset = index.offset();
    int firstChunk = tar.list().size();
    long omittedBefore = omissions.count();
    if (stored != null && stored.entries() == group.entries().size() && index.hasRoomFor(stored)) {
      index.copy(stored);
      tar.reuse(stored.chunks());
      entries.reused(stored.entries());
    } else {
      entries.write(group);
    }
    // What a group leaves out must be found again each time, so that it can be told.
    if (key != null && indexChunk == index.chunk() && omittedBefore == omissions.count()) {
      facts.add(
          new GroupFact(
              key,
              indexChunk,
              indexOffset,
              index.offset() - indexOffset,
              group.entries().size(),
              firstChunk,
              tar.list().size() - firstChunk));
    }
  }
}
