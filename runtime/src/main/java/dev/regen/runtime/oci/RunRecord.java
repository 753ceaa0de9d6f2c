package dev.regen.runtime.oci;

import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import dev.regen.runtime.overlay.ContainerRoot;
import dev.regen.runtime.overlay.TreeRemoval;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One run of one container, from {@code create} to its end: what a hook may do, and what a crash
 * left to be done.
 *
 * @param facts what does not change while the run lasts
 * @param placed the tree that was moved in at the start, null if none was
 * @param ending the layer that is being frozen, from the intent on; null before
 * @param placeholders mount points that the runtime made in the upper, from the container's root
 * @param without why the run began without the state that its queue keeps, null if it did not
 */
record RunRecord(
    RunFacts facts,
    State state,
    @Nullable Placed placed,
    @Nullable FrozenLayer ending,
    List<String> placeholders,
    @Nullable String without) {
  private static final int VERSION = 1;

  /** Where the run is. That it has started stands beside the record, since the front says it. */
  enum State {
    CREATED,
    ENDING,
    ENDED
  }

  /**
   * A tree on its way into the upper's place; its inode tells where it is now.
   *
   * @param origin where it came from
   * @param placing where it waits for the exchange, and the old upper after it
   * @param snapshot whose tree it is, null for a layer that no snapshot holds yet
   * @param chosen whether a restore chose it
   * @param laidOver whether files of the old upper were laid over it
   * @param filled whether the tree is put into the root file by file, rather than in the upper's
   *     place
   * @param unarchived the job it had in the spool, if no snapshot holds it yet
   */
  record Placed(
      Path origin,
      Path placing,
      long inode,
      @Nullable String snapshot,
      boolean chosen,
      boolean laidOver,
      boolean filled,
      @Nullable FrozenLayer unarchived) {
    /** What the root held before, where the tree is put into the root itself. */
    Path own() {
      return placing.resolveSibling(placing.getFileName() + ".own");
    }

    /** Whether the tree is at {@code path}. */
    boolean isAt(Path path) throws IOException {
      Stat stat = Fd.statIfThere(path);
      return stat != null && stat.inode() == inode;
    }

    /** Removes what only a run that has not begun needs. */
    void drop() throws IOException {
      TreeRemoval.remove(placing);
      TreeRemoval.remove(own());
    }

    private JsonObject json() {
      return new JsonObject()
          .with("origin", origin.toString())
          .with("placing", placing.toString())
          .with("inode", inode)
          .with("snapshot", snapshot)
          .with("chosen", chosen)
          .with("laidOver", laidOver)
          .with("filled", filled)
          .with("unarchived", unarchived == null ? null : unarchived.json());
    }

    private static Placed of(JsonObject json) throws IOException {
      JsonObject unarchived = json.objectOrNull("unarchived");
      return new Placed(
          Path.of(json.string("origin")),
          Path.of(json.string("placing")),
          json.number("inode"),
          json.stringOrNull("snapshot"),
          json.flag("chosen"),
          json.flag("laidOver"),
          json.flag("filled"),
          unarchived == null ? null : FrozenLayer.of(unarchived));
    }
  }

  RunRecord {
    placeholders = List.copyOf(placeholders);
  }

  ContainerId container() {
    return facts.layer().container();
  }

  String name() {
    return facts.name();
  }

  QueueName queue() {
    return facts.layer().queue();
  }

  String bootId() {
    return facts.bootId();
  }

  Instant createdAt() {
    return facts.createdAt();
  }

  Path runcRoot() {
    return facts.runcRoot();
  }

  ContainerRoot union() {
    return facts.union();
  }

  boolean autoRemove() {
    return facts.autoRemove();
  }

  boolean firstStart() {
    return facts.firstStart();
  }

  RunRecord withPlaced(@Nullable Placed tree) {
    return new RunRecord(facts, state, tree, ending, placeholders, without);
  }

  RunRecord withRoot(ContainerRoot made) {
    return new RunRecord(facts.withRoot(made), state, placed, ending, placeholders, without);
  }

  RunRecord withPlaceholders(List<String> paths) {
    return new RunRecord(facts, state, placed, ending, paths, without);
  }

  RunRecord begunWithout(String reason) {
    return new RunRecord(facts, state, placed, ending, placeholders, reason);
  }

  /** As it is to be found if nobody lives to say that the container has its state. */
  RunRecord brokenOff() {
    return begunWithout("every process that could put it in died; some of it may be there");
  }

  RunRecord ending(FrozenLayer layer) {
    return new RunRecord(facts, State.ENDING, placed, layer, placeholders, without);
  }

  RunRecord ended() {
    return new RunRecord(facts, State.ENDED, null, null, placeholders, null);
  }

  JsonObject json() {
    return facts
        .addTo(new JsonObject().with("version", VERSION))
        .with("state", state)
        .with("placed", placed == null ? null : placed.json())
        .with("ending", ending == null ? null : ending.json())
        .with("placeholders", placeholders)
        .with("without", without);
  }

  /**
   * Reads what {@link #json} wrote.
   *
   * @throws IOException if a member is missing or wrong, or the version is not known
   */
  static RunRecord of(JsonObject json) throws IOException {
    if (json.number("version") != VERSION) {
      throw new IOException("run record of unknown version " + json.number("version"));
    }
    JsonObject placed = json.objectOrNull("placed");
    JsonObject ending = json.objectOrNull("ending");
    try {
      return new RunRecord(
          RunFacts.of(json),
          State.valueOf(json.string("state")),
          placed == null ? null : Placed.of(placed),
          ending == null ? null : FrozenLayer.of(ending),
          json.strings("placeholders"),
          json.stringOrNull("without"));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new IOException("run record does not hold: " + e.getMessage(), e);
    }
  }
}
