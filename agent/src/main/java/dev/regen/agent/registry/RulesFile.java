package dev.regen.agent.registry;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.registry.RepositoryName;
import dev.regen.snapshot.registry.Retention;
import dev.regen.snapshot.registry.TagName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * An operator's rules, as JSON:
 *
 * <pre>
 * {"readOnly": false,
 *  "rights": [{"users": ["ann", "*", "anonymous"], "repositories": ["team/**"],
 *              "may": ["pull", "push", "delete", "publish"]}],
 *  "repositories": [{"match": ["team/**"], "immutableTags": ["v*"], "quotaBytes": 10000000000,
 *                    "keepTags": 20, "keepTagsDays": 30, "removeUntaggedDays": 7}]}
 * </pre>
 *
 * <p>A user's rights are those of all entries that name him, {@code *} being everybody who logs in
 * and {@code anonymous} those too who do not; without {@code rights} whoever logs in may
 * everything. Of {@code repositories} the first entry that matches counts. {@code *} in a pattern
 * stands for any characters but {@code /}, {@code **} for any.
 *
 * @param rights null if the file does not say
 */
record RulesFile(boolean readOnly, @Nullable List<Entry> rights, List<Repositories> repositories) {
  static final RulesFile NONE = new RulesFile(false, null, List.of());

  private static final int FILE_BYTES_MAX = 1 << 20;
  private static final int VALUES_MAX = 50_000;
  private static final String LOGGED_IN = "*";
  private static final String ANYBODY = "anonymous";

  /** Who may do what, where. */
  record Entry(Set<String> users, List<Glob> repositories, Set<Access.Right> may) {
    boolean names(@Nullable String user) {
      return users.contains(ANYBODY)
          || (user != null && (users.contains(LOGGED_IN) || users.contains(user)));
    }
  }

  /**
   * What holds in some repositories.
   *
   * @param keepTags so many stay, the newest; negative: all
   */
  record Repositories(
      List<Glob> match,
      List<Glob> immutableTags,
      long quotaBytes,
      int keepTags,
      Duration keepTagsFor,
      @Nullable Duration removeUntaggedAfter) {
    static final Repositories FREE =
        new Repositories(List.of(), List.of(), Long.MAX_VALUE, -1, Duration.ZERO, null);

    Retention retention(Predicate<TagName> immutable) {
      return new Retention(keepTags, keepTagsFor, removeUntaggedAfter, immutable);
    }
  }

  /** Rights of a user; null is somebody without a name. */
  boolean may(@Nullable String user, RepositoryName repository, Access.Right right) {
    if (rights == null) {
      return user != null;
    }
    return rights.stream()
        .filter(entry -> entry.names(user) && entry.may().contains(right))
        .anyMatch(
            entry -> entry.repositories().stream().anyMatch(it -> it.fits(repository.value())));
  }

  /** What holds in a repository. */
  Repositories of(RepositoryName repository) {
    return repositories.stream()
        .filter(entry -> entry.match().stream().anyMatch(glob -> glob.fits(repository.value())))
        .findFirst()
        .orElse(Repositories.FREE);
  }

  /**
   * Reads a file.
   *
   * @throws RegenException.BadInput if it says something that means nothing
   */
  static RulesFile read(Path file) throws IOException {
    if (Files.size(file) > FILE_BYTES_MAX) {
      throw new RegenException.BadInput(file + " holds more than " + FILE_BYTES_MAX + " bytes");
    }
    try {
      JsonObject json = JsonObject.parse(Files.readAllBytes(file), VALUES_MAX);
      requireKnown(json, Set.of("readOnly", "rights", "repositories"));
      List<Entry> rights = json.has("rights") ? new ArrayList<>() : null;
      if (rights != null) {
        for (JsonObject entry : json.objects("rights")) {
          rights.add(entry(entry));
        }
      }
      List<Repositories> repositories = new ArrayList<>();
      for (JsonObject entry : json.objects("repositories")) {
        repositories.add(repositories(entry));
      }
      return new RulesFile(json.flag("readOnly"), rights, repositories);
    } catch (RegenException e) {
      throw e;
    } catch (IOException | IllegalArgumentException e) {
      throw new RegenException.BadInput(file + ": " + e.getMessage());
    }
  }

  private static Entry entry(JsonObject json) throws IOException {
    requireKnown(json, Set.of("users", "repositories", "may"));
    Set<Access.Right> may = EnumSet.noneOf(Access.Right.class);
    for (String right : json.strings("may")) {
      try {
        may.add(Access.Right.valueOf(right.toUpperCase(Locale.ROOT)));
      } catch (IllegalArgumentException e) {
        throw new IOException(
            "there is no right to '" + right + "'; there are pull, push, delete, publish", e);
      }
    }
    requireSome(json, "users", "repositories", "may");
    return new Entry(Set.copyOf(json.strings("users")), globs(json, "repositories"), may);
  }

  private static Repositories repositories(JsonObject json) throws IOException {
    requireKnown(
        json,
        Set.of(
            "match",
            "immutableTags",
            "quotaBytes",
            "keepTags",
            "keepTagsDays",
            "removeUntaggedDays"));
    requireSome(json, "match");
    for (String number : List.of("quotaBytes", "keepTags", "keepTagsDays", "removeUntaggedDays")) {
      if (json.numberOr(number, 0) < 0) {
        throw new IOException("'" + number + "' is 0 at least");
      }
    }
    long untagged = json.numberOr("removeUntaggedDays", -1);
    if (untagged == 0) {
      throw new IOException("'removeUntaggedDays' is 1 at least: somebody may be about to name it");
    }
    return new Repositories(
        globs(json, "match"),
        globs(json, "immutableTags"),
        json.numberOr("quotaBytes", Long.MAX_VALUE),
        Math.toIntExact(Math.min(Integer.MAX_VALUE, json.numberOr("keepTags", -1))),
        Duration.ofDays(json.numberOr("keepTagsDays", 0)),
        untagged < 0 ? null : Duration.ofDays(untagged));
  }

  private static List<Glob> globs(JsonObject json, String member) throws IOException {
    return json.strings(member).stream().map(Glob::new).toList();
  }

  private static void requireSome(JsonObject json, String... members) throws IOException {
    for (String member : members) {
      if (json.strings(member).isEmpty()) {
        throw new IOException("'" + member + "' names something, or the entry means nothing");
      }
    }
  }

  private static void requireKnown(JsonObject json, Set<String> known) throws IOException {
    for (String member : json.members().keySet()) {
      if (!known.contains(member)) {
        throw new IOException("'" + member + "' means nothing here; there are " + known);
      }
    }
  }
}
