package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/**
 * A writable layer set aside at the end of a run, waiting in the spool for the agent to archive it.
 *
 * @param job names the file in the spool: time and container, unique
 * @param facts whose layer it is
 * @param tree the frozen layer tree, in overlay form
 * @param kind how the tree came to be there
 * @param upperInode the inode of the writable layer before it was frozen; a tree of kind {@code
 *     EXCHANGED} with another inode was never exchanged and holds nothing
 * @param run how the run went
 * @param placeholders paths from the container's root of mount points that the runtime made; left
 *     out while they are empty
 */
public record FrozenLayer(
    String job,
    LayerFacts facts,
    Path tree,
    Kind kind,
    long upperInode,
    SeenRun run,
    List<String> placeholders) {
  private static final int VERSION = 1;

  /** How a tree was frozen. */
  public enum Kind {
    /** The upper itself, moved away: nobody else has it; may become the hot tree. */
    EXCHANGED,
    /** Hard links to the files of an upper that its container keeps. */
    LINKED,
    /**
     * Hard links to those of them alone that no snapshot holds; {@link KnownFiles} has the rest.
     */
    LISTED,
    /** The upper in place, of a stopped or paused container that Regen has under its eyes. */
    IN_PLACE
  }

  /** A run of ids: {@code size} ids from {@code inside} on are {@code outside} on the host. */
  public record IdRange(long inside, long outside, long size) {
    JsonObject json() {
      return new JsonObject().with("inside", inside).with("outside", outside).with("size", size);
    }

    static IdRange of(JsonObject json) throws IOException {
      return new IdRange(json.number("inside"), json.number("outside"), json.number("size"));
    }
  }

  public FrozenLayer {
    placeholders = List.copyOf(placeholders);
  }

  public ContainerId container() {
    return facts.container();
  }

  public QueueName queue() {
    return facts.queue();
  }

  public Instant endedAt() {
    return run.endedAt();
  }

  /** The same layer, of kind {@code LISTED}, in another tree. */
  FrozenLayer listed(Path listedTree) {
    return new FrozenLayer(job, facts, listedTree, Kind.LISTED, upperInode, run, placeholders);
  }

  /** The same layer, its tree being at {@code path} with this inode. */
  FrozenLayer at(Path path, long inode) {
    return new FrozenLayer(job, facts, path, kind, inode, run, placeholders);
  }

  public JsonObject json() {
    JsonObject json =
        new JsonObject()
            .with("version", VERSION)
            .with("job", job)
            .with("tree", tree.toString())
            .with("kind", kind)
            .with("upperInode", upperInode)
            .with("placeholders", placeholders);
    return run.addTo(facts.addTo(json));
  }

  /**
   * Reads what {@link #json} wrote.
   *
   * @throws IOException if a member is missing or wrong, or the version is not known
   */
  public static FrozenLayer of(JsonObject json) throws IOException {
    if (json.number("version") != VERSION) {
      throw new IOException("spool job of unknown version " + json.number("version"));
    }
    try {
      return new FrozenLayer(
          json.string("job"),
          LayerFacts.of(json),
          Path.of(json.string("tree")),
          Kind.valueOf(json.string("kind")),
          json.number("upperInode"),
          SeenRun.of(json),
          json.strings("placeholders"));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new IOException("spool job does not hold: " + e.getMessage(), e);
    }
  }
}
