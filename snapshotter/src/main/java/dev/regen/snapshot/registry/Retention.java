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
 *     pushed longer ago; null: it stays
 * @param pinned tags that stay in any case
 */
public record Retention(
    int keepTags,
    Duration keepTagsFor,
    @Nullable Duration removeUntaggedAfter,
    Predicate<TagName> pinned) {
  public static final Retention ALL = new Retention(-1, Duration.ZERO, null, _ -> true);
}
