package dev.regen.snapshot.registry;

import java.time.Duration;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What of a repository goes by itself.
 *
 * @param keepTags so many tags stay, those that were set last; negative: all
 * @param keepTagsFor and those that were set within so long
 * @param removeUntaggedAfter a manifest goes that no tag, index or subject keeps and that was
 *     pushed longer ago, at least {@link Manifests#UNTAGGED_KEPT_MIN}; null: it stays
 * @param pinned tags that stay in any case
 */
public record Retention(
    int keepTags,
    Duration keepTagsFor,
    @Nullable Duration removeUntaggedAfter,
    Predicate<TagName> pinned) {
  /** Everything stays. */
  public static final Retention ALL = new Retention(-1, Duration.ZERO, null, _ -> true);

  public Retention {
    if (removeUntaggedAfter != null
        && removeUntaggedAfter.compareTo(Manifests.UNTAGGED_KEPT_MIN) < 0) {
      throw new IllegalArgumentException(
          "what has no tag stays for a day at least: somebody may be about to name it");
    }
  }
}
