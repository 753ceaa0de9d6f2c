package dev.regen.snapshot.care;

import java.util.List;

/**
 * What a {@link Rebalancing} did.
 *
 * @param chunks how many different ones the servers hold
 * @param moved copies that were made where they belong, and stood elsewhere
 * @param repaired copies that were made because there were too few
 * @param healed damaged copies that are whole again
 * @param removed copies that were deleted where they do not belong
 * @param left copies that do not belong where they are and stay, because somebody counts on them
 * @param records copies of records that were made where they belong
 * @param bytes of the copies that were made
 * @param troubles what could not be done, in words; some, if there are many
 * @param failed how many chunks and records it could not be done with
 */
public record Rebalanced(
    long chunks,
    long moved,
    long repaired,
    long healed,
    long removed,
    long left,
    long records,
    long bytes,
    List<String> troubles,
    long failed) {
  public Rebalanced {
    troubles = List.copyOf(troubles);
  }
}
