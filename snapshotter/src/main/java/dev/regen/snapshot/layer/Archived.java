package dev.regen.snapshot.layer;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.facts.GroupFact;
import java.util.List;

/**
 * An archive that was just made.
 *
 * @param facts of its groups, so that those which do not change need not be read again
 * @param linked of groups whose files are hard links: their inodes change once more when the links
 *     go, and {@link UpperFacts} makes facts of them then
 */
public record Archived(Archive archive, List<GroupFact> facts, List<GroupFact> linked) {
  public Archived {
    facts = List.copyOf(facts);
    linked = List.copyOf(linked);
  }
}
