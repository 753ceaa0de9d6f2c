package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import dev.regen.snapshot.facts.GroupFact;
import dev.regen.snapshot.facts.GroupKey;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * Facts of an upper whose files were archived through hard links. Making and removing a link
 * changes an inode, so what was noted while they were there is good for one thing: to tell that
 * nothing else has changed the files since.
 */
public final class UpperFacts {
  /** So that what the removal of the links changed is older than a tick. */
  private static final Duration SETTLED = Duration.ofMillis(25);

  private static final Duration LOOK = Duration.ofMillis(20);

  private final Path upper;
  private final ArchiveRequest request;
  private final InstantSource clock;

  /**
   * @param upper that of a stopped container
   * @param request as its files were archived
   */
  public UpperFacts(Path upper, ArchiveRequest request, InstantSource clock) {
    this.upper = upper;
    this.request = request;
    this.clock = clock;
  }

  /**
   * Removes the links, and says what is known of the upper's files from then on. Whatever somebody
   * changed since the links were made is left out. Walks the upper twice.
   *
   * @param linked of an {@link Archived}
   * @param frozenAt before the links were made, and after the last change by the container
   * @param stopped asked often: when it says true, the links may still be going, and nothing is
   *     known
   */
  public List<GroupFact> after(
      Links links, List<GroupFact> linked, Instant frozenAt, BooleanSupplier stopped)
      throws IOException, InterruptedException {
    Map<GroupKey, GroupFact> same = unchanged(linked, frozenAt, stopped);
    Thread removal = links.remove();
    while (removal.isAlive() && !stopped.getAsBoolean()) {
      removal.join(LOOK);
    }
    List<GroupFact> facts = new ArrayList<>();
    if (!stopped.getAsBoolean()) {
      Thread.sleep(SETTLED);
      each(
          stopped,
          (group, keys) -> {
            GroupFact fact = same.get(keys.check(group, false));
            GroupKey key = fact == null ? null : keys.of(group);
            if (fact != null && key != null) {
              facts.add(fact.under(key));
            }
          });
    }
    return stopped.getAsBoolean() ? List.of() : facts;
  }

  /** Names that keep files of an upper, besides its own. */
  public interface Links {
    /** Begins to remove them; they are gone when the thread has ended. */
    Thread remove() throws IOException;
  }

  private Map<GroupKey, GroupFact> unchanged(
      List<GroupFact> linked, Instant frozenAt, BooleanSupplier stopped) throws IOException {
    Map<GroupKey, GroupFact> checks = new HashMap<>();
    linked.forEach(fact -> checks.put(fact.key(), fact));
    Map<GroupKey, GroupFact> same = new HashMap<>();
    each(
        stopped,
        (group, keys) -> {
          GroupFact fact = checks.get(keys.check(group, true));
          if (fact != null && GroupKeys.directoriesAreOlder(group, frozenAt)) {
            same.put(keys.check(group, false), fact);
          }
        });
    return same;
  }

  private interface Visit {
    void of(Group group, GroupKeys keys) throws IOException;
  }

  private void each(BooleanSupplier stopped, Visit visit) throws IOException {
    GroupKeys keys = new GroupKeys(request, clock.instant());
    try (Fd root = Fd.directory(upper);
        Directory.Open open = new Directory.Open();
        TreeWalk walk = new TreeWalk(Directory.root(open, root), request, new Omissions())) {
      Grouping grouping = new Grouping(walk, request.sealing().cutting());
      for (Group group = grouping.next();
          group != null && !stopped.getAsBoolean();
          group = grouping.next()) {
        visit.of(group, keys);
      }
    }
  }
}
