package dev.regen.snapshot.layer;

import dev.regen.snapshot.chunk.ChunkSink;
import dev.regen.snapshot.facts.GroupFact;
import dev.regen.snapshot.facts.GroupKey;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

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
  private final List<GroupFact> linked = new ArrayList<>();
  private int indexChunk;
  private int indexOffset;
  private int firstChunk;
  private long omittedBefore;

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

  /** The same of groups of linked files, under their checks. */
  List<GroupFact> linked() {
    return linked;
  }

  /**
   * A group that is to be written.
   *
   * @param key null if none is to be noted
   * @param stored what is known of it, null if its files have to be read
   * @param linked whether they are hard links, made for this
   */
  record Planned(
      Group group, @Nullable GroupKey key, @Nullable StoredGroup stored, boolean linked) {}

  /** Looks whether a group has to be read. */
  Planned plan(Group group) throws IOException {
    GroupKey key = keys.of(group);
    StoredGroup stored = key == null ? null : known.find(key);
    boolean whole = stored != null && stored.entries() == group.entries().size();
    return new Planned(group, key, whole ? stored : null, false);
  }

  /** A group of hard links, which no archive before can have. */
  Planned planLinked(Group group) {
    return new Planned(group, keys.check(group, true), null, true);
  }

  /** Writes a group into chunks of its own. */
  void write(Planned planned) throws IOException {
    Group group = planned.group();
    begin(group.entries().getFirst().path());
    StoredGroup stored = planned.stored();
    if (stored != null && index.hasRoomFor(stored)) {
      take(stored);
    } else {
      entries.write(group);
    }
    end(planned.key(), group.entries().size(), planned.linked() ? linked : facts);
  }

  /** Writes a group without having seen its files. */
  void take(byte[] firstPath, GroupKey key, StoredGroup stored) throws IOException {
    begin(firstPath);
    take(stored);
    end(key, stored.entries(), facts);
  }

  private void take(StoredGroup stored) throws IOException {
    index.copy(stored);
    tar.reuse(stored.chunks());
    entries.reused(stored.entries());
  }

  private void begin(byte[] firstPath) throws IOException {
    index.groupBegins(firstPath);
    indexChunk = index.chunk();
    indexOffset = index.offset();
    firstChunk = tar.list().size();
    omittedBefore = omissions.count();
  }

  private void end(@Nullable GroupKey key, int size, List<GroupFact> into) {
    // What a group leaves out must be found again each time, so that it can be told.
    if (key == null || indexChunk != index.chunk() || omittedBefore != omissions.count()) {
      return;
    }
    int indexBytes = index.offset() - indexOffset;
    int chunks = tar.list().size() - firstChunk;
    into.add(new GroupFact(key, indexChunk, indexOffset, indexBytes, size, firstChunk, chunks));
  }
}
