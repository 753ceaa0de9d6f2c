package dev.regen.agent.registry;

import dev.regen.runtime.Why;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.registry.ContentDigest;
import dev.regen.snapshot.registry.ManifestDocument;
import dev.regen.snapshot.registry.Registry;
import dev.regen.snapshot.registry.RegistryException;
import dev.regen.snapshot.registry.RepositoryName;
import dev.regen.snapshot.registry.Retention;
import dev.regen.snapshot.registry.StoredManifest;
import dev.regen.snapshot.registry.TagName;
import dev.regen.snapshot.registry.Tags;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the operator's file of rules says, asked before something is done. The file is read again
 * when it has changed; one that cannot be read is told of in the log, and the rules before hold.
 */
final class Rules {
  private static final Logger LOG = LoggerFactory.getLogger(Rules.class);

  private final @Nullable Path file;
  private volatile RulesFile rules;
  private volatile @Nullable FileTime readAt;
  private volatile boolean isUnreadable;

  /**
   * @param file null for no rules
   * @throws RegenException.BadInput if the file says something that means nothing
   */
  Rules(@Nullable Path file) throws IOException {
    this.file = file;
    this.readAt = file == null ? null : Files.getLastModifiedTime(file);
    this.rules = file == null ? RulesFile.NONE : RulesFile.read(file);
  }

  /** Whether the file says who may do what. */
  boolean haveRights() {
    return now().rights() != null;
  }

  /** Whether a user may do something; null is somebody without a name. */
  boolean may(@Nullable String user, RepositoryName repository, Access.Right right) {
    return now().may(user, repository, right);
  }

  boolean isWritable() {
    return !now().readOnly();
  }

  /**
   * Passes unless the registry is read-only.
   *
   * @throws RegistryException DENIED if it is
   */
  void requireWritable() throws RegistryException {
    if (!isWritable()) {
      throw denied("this registry is read-only now");
    }
  }

  boolean isImmutable(RepositoryName repository, TagName tag) {
    return now().of(repository).immutableTags().stream().anyMatch(glob -> glob.fits(tag.value()));
  }

  /**
   * Passes if a tag may be made to mean this manifest.
   *
   * @throws RegistryException DENIED if it means another, and may not change
   */
  void requireChangeable(
      Registry registry, RepositoryName repository, TagName tag, ContentDigest digest)
      throws IOException {
    if (isImmutable(repository, tag)) {
      ContentDigest now = registry.tags().find(repository, tag).orElse(digest);
      if (!now.equals(digest)) {
        throw denied("tag " + tag + " of " + repository + " is immutable and means " + now);
      }
    }
  }

  /**
   * Passes if a tag may be removed.
   *
   * @throws RegistryException DENIED if not
   */
  void requireRemovable(RepositoryName repository, TagName tag) throws RegistryException {
    if (isImmutable(repository, tag)) {
      throw denied("tag " + tag + " of " + repository + " is immutable and cannot be removed");
    }
  }

  /**
   * Passes if a manifest may be removed with its tags, or a blob: no immutable tag means it, or
   * needs it.
   *
   * @throws RegistryException DENIED if not
   */
  void requireRemovable(Registry registry, RepositoryName repository, ContentDigest digest)
      throws IOException {
    if (now().of(repository).immutableTags().isEmpty()) {
      return;
    }
    Set<ContentDigest> seen = new HashSet<>();
    for (Map.Entry<TagName, Tags.Revision> tag : registry.tags().all(repository).entrySet()) {
      ContentDigest means = tag.getValue().digest();
      if (means != null
          && isImmutable(repository, tag.getKey())
          && isNeeded(registry, repository, means, digest, seen)) {
        throw denied(
            "tag "
                + tag.getKey()
                + " of "
                + repository
                + " is immutable and needs "
                + digest
                + ", which cannot be removed");
      }
    }
  }

  /**
   * Whether a manifest is this one, or names it, itself or by those that it names.
   *
   * @param seen manifests that are known not to, with all that they name
   */
  private static boolean isNeeded(
      Registry registry,
      RepositoryName repository,
      ContentDigest manifest,
      ContentDigest digest,
      Set<ContentDigest> seen)
      throws IOException {
    // Not by recursion: indexes may name each other as deep as somebody likes.
    Deque<ContentDigest> open = new ArrayDeque<>(List.of(manifest));
    while (!open.isEmpty()) {
      ContentDigest next = open.removeLast();
      if (next.equals(digest)) {
        return true;
      }
      if (seen.add(next)) {
        StoredManifest stored = registry.manifests().find(repository, next).orElse(null);
        if (stored == null) {
          registry.requireAll();
          continue;
        }
        ManifestDocument document = ManifestDocument.parse(stored.mediaType(), stored.content());
        if (document.blobs().stream().anyMatch(blob -> blob.digest().equals(digest))) {
          return true;
        }
        document.manifests().forEach(child -> open.add(child.digest()));
      }
    }
    return false;
  }

  /**
   * Passes if a repository may take so much more.
   *
   * @throws RegistryException DENIED if it would have more than its quota
   */
  void requireRoom(Registry registry, RepositoryName repository, long bytes) throws IOException {
    long quota = now().of(repository).quotaBytes();
    if (quota < Long.MAX_VALUE) {
      long used = registry.blobs().bytes(repository);
      if (used + bytes > quota) {
        throw denied(
            "repository "
                + repository
                + " may have "
                + quota
                + " bytes; it has "
                + used
                + ", and this is another "
                + bytes
                + ": remove something, or ask for a larger quota");
      }
    }
  }

  /** How much more a repository may take; a very large number if it has no quota. */
  long room(Registry registry, RepositoryName repository) throws IOException {
    long quota = now().of(repository).quotaBytes();
    return quota == Long.MAX_VALUE
        ? quota
        : Math.max(0, quota - registry.blobs().bytes(repository));
  }

  /** What of a repository may go by itself. */
  Retention retention(RepositoryName repository) {
    RulesFile.Repositories of = now().of(repository);
    return of.retention(tag -> isImmutable(repository, tag));
  }

  private RulesFile now() {
    Path known = file;
    if (known != null) {
      try {
        FileTime time = Files.getLastModifiedTime(known);
        if (!time.equals(readAt)) {
          readAt = time;
          rules = RulesFile.read(known);
          LOG.info("{} has changed; its rules hold from now on", known);
        }
        isUnreadable = false;
      } catch (IOException e) {
        // Once, not with every request.
        if (!isUnreadable) {
          isUnreadable = true;
          LOG.warn("the rules before stay in force: {}", Why.of(e));
        }
      }
    }
    return rules;
  }

  private static RegistryException denied(String why) {
    return new RegistryException(RegistryException.Code.DENIED, why);
  }
}
