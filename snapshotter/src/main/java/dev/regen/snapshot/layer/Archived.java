package dev.regen.snapshot.layer;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.facts.GroupFact;
import java.util.List;

/**
 * An archive that was just made.
 *
 * @param facts of its groups, so that those which do not change need not be read again
 */
public record Archived(Archive archive, List<GroupFact> facts) {
  public Archived {
    facts = List.copyOf(facts);
  }
}
