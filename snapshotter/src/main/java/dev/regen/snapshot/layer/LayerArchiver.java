package dev.regen.snapshot.layer;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.oci.FrozenLayer.Kind;
import dev.regen.runtime.os.Fd;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.chunk.ChunkPipeline;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.chunk.ChunkSink;
import dev.regen.snapshot.store.ChunkStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.function.BooleanSupplier;

/**
 * Makes layer archives of layer trees.
 *
 * <p>The calling thread walks the tree and reads its files; {@code workers} threads compress,
 * digest and store. What is in memory at a time is {@code 4 × workers + 1} chunks, the names of the
 * directories being walked, and a path for each file with several names. The same tree gives the
 * same chunks under the same key, or without one.
 */
public final class LayerArchiver {
  /** A walk goes so many groups ahead of what is read. */
  private static final int GROUPS_AHEAD = 64;

  private static final byte[] END = new byte[2 * EntryIndex.BLOCK];

  private final ChunkStore store;
  private final int workers;
  private final InstantSource clock;

  /**
   * Archives into {@code store}; starts nothing yet.
   *
   * @param workers how many threads compress, at least 1
   * @param clock that of the file system the trees are on
   */
  public LayerArchiver(ChunkStore store, int workers, InstantSource clock) {
    this.store = store;
    this.workers = workers;
    this.clock = clock;
  }

  public LayerArchiver(ChunkStore store, int workers) {
    this(store, workers, InstantSource.system());
  }

  /** Archives {@code tree} as if nothing had ever been archived before. */
  public Archive archive(
      Path tree, ArchiveRequest request, Progress progress, BooleanSupplier cancelled)
      throws IOException {
    KnownGroups nothing = new KnownGroups(store, new ChunkReader(store));
    FrozenTree frozen = new FrozenTree(tree, Kind.IN_PLACE, null);
    return archive(frozen, request, nothing, progress, cancelled).archive();
  }

  /**
   * Archives {@code frozen}, a tree in overlay form or a {@link ListedTree}, which must not change
   * meanwhile, into the store. Does not force the store. After a failure the store may hold chunks
   * that nothing names.
   *
   * @param known groups that need not be read where nothing of them has changed; the archive is the
   *     same with and without them
   * @param progress told about twenty times a second, on this thread
   * @param cancelled asked at least every 100 ms, on this thread, unless one system call takes
   *     longer
   * @throws java.util.concurrent.CancellationException if {@code cancelled} said so, or this thread
   *     was interrupted
   * @throws dev.regen.snapshot.RegenException.Refused if the tree holds what cannot be archived
   *     faithfully, or changes meanwhile; names the path
   * @throws IOException if reading or storing fails, a full disk included
   */
  public Archived archive(
      FrozenTree frozen,
      ArchiveRequest request,
      KnownGroups known,
      Progress progress,
      BooleanSupplier cancelled)
      throws IOException {
    GroupKeys keys = new GroupKeys(request, clock.instant());
    Watch watch = new Watch(progress, cancelled);
    watch.tick();
    try (Fd root = Fd.directory(frozen.tree());
        Directory.Open open = new Directory.Open();
        ChunkPipeline pipeline =
            new ChunkPipeline(store, request.sealing(), workers, watch::tick)) {
      Directory directory = Directory.root(open, root);
      Groups groups = groups(frozen, directory, request, known);
      return archive(groups, request, keys, known, watch, pipeline);
    }
  }

  /** Where the groups of an archive come from. */
  private interface Groups {
    void write(GroupWriter writer, FilesAhead files, Omissions omissions) throws IOException;
  }

  private static Groups groups(
      FrozenTree frozen, Directory root, ArchiveRequest request, KnownGroups known)
      throws IOException {
    return switch (frozen.kind()) {
      case EXCHANGED, IN_PLACE -> walked(root, request, false);
      case LINKED -> walked(root, request, true);
      case LISTED -> {
        Path file = Objects.requireNonNull(frozen.listing(), "a listed tree without its listing");
        Listing.Reader listing = ListedTree.read(new LocalDisk(), file);
        yield (writer, _, omissions) ->
            new ListedGroups(listing, root).write(writer, known, omissions);
      }
    };
  }

  private static Groups walked(Directory root, ArchiveRequest request, boolean linked) {
    return (writer, files, omissions) -> {
      try (TreeWalk walk = new TreeWalk(root, request, omissions)) {
        Grouping grouping = new Grouping(walk, request.sealing().cutting());
        Deque<GroupWriter.Planned> planned = new ArrayDeque<>();
        Group group = grouping.next();
        while (group != null || !planned.isEmpty()) {
          if (group == null || planned.size() == GROUPS_AHEAD || !files.wantsMore()) {
            writer.write(planned.remove());
          } else {
            planned.add(linked ? writer.planLinked(group) : writer.plan(group));
            if (planned.getLast().stored() == null) {
              files.open(group);
            }
            group = grouping.next();
          }
        }
      }
    };
  }

  private static Archived archive(
      Groups source,
      ArchiveRequest request,
      GroupKeys keys,
      KnownGroups known,
      Watch watch,
      ChunkPipeline pipeline)
      throws IOException {
    Omissions omissions = new Omissions();
    IdMap users = new IdMap(request.uidMap());
    IdMap groups = new IdMap(request.gidMap());
    ChunkSink tar = new ChunkSink(pipeline);
    ChunkSink indexSink = new ChunkSink(pipeline);
    EntryIndexWriter index = new EntryIndexWriter(indexSink);
    XattrFilter xattrs = new XattrFilter(users, groups, omissions);
    FilesAhead files = new FilesAhead();
    EntryWriter writer = new EntryWriter(tar, index, xattrs, users, groups, files, watch);
    GroupWriter groupWriter = new GroupWriter(tar, index, writer, keys, known, omissions);
    try (files) {
      source.write(groupWriter, files, omissions);
    }
    // The end has a chunk of its own, so that a longer layer leaves the groups before it alone.
    tar.put(END, 0, END.length);
    tar.cut();
    index.finish();
    pipeline.drain();
    watch.at(writer.entries(), tar.position());
    watch.done();
    List<Chunk> chunks = tar.list().chunks();
    List<Chunk> indexChunks = indexSink.list().chunks();
    Archive archive =
        new Archive(
            chunks,
            indexChunks,
            writer.entries(),
            tar.position(),
            storedBytes(chunks) + storedBytes(indexChunks),
            pipeline.newBytes(),
            omissions.words(),
            omissions.count());
    return new Archived(archive, groupWriter.facts(), groupWriter.linked());
  }

  private static long storedBytes(List<Chunk> chunks) {
    return chunks.stream().mapToLong(Chunk::storedBytes).sum();
  }
}
