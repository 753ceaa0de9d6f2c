package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.chunk.ChunkReader;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What the threads share that make one tree.
 *
 * @param chunks of the whole archive
 * @param root of the new tree
 * @param present the tree whose place it is to take, if files may be taken from there
 * @param way how they are taken
 * @param known groups of the present tree, by their chunks
 * @param same directories of the present tree that are to be moved, and so not made
 * @param pause asked between entries and between pieces of a file
 * @param entries done, likewise {@code tarBytes}
 */
record Making(
    ChunkReader reader,
    List<Chunk> chunks,
    Fd root,
    HostIds ids,
    MemberAttributes attributes,
    @Nullable Fd present,
    TakeOver.Way way,
    Set<List<Chunk>> known,
    SameDirectories same,
    Pause pause,
    AtomicLong entries,
    AtomicLong tarBytes) {

  /** Throws where the work is to end. */
  interface Pause {
    void check();
  }
}
