package dev.regen.snapshot.publish;

import dev.regen.snapshot.registry.ContentDigest;
import dev.regen.snapshot.registry.RegistryException;
import dev.regen.snapshot.registry.RepositoryName;
import dev.regen.snapshot.registry.TagName;
import java.io.IOException;

/** What an operator allows, asked before something is done. */
public interface Limits {
  /**
   * Passes if a repository may take so much more.
   *
   * @throws RegistryException DENIED if not
   */
  void requireRoom(RepositoryName repository, long bytes) throws IOException;

  /**
   * Passes if a tag may be made to mean this manifest.
   *
   * @throws RegistryException DENIED if not
   */
  void requireChangeable(RepositoryName repository, TagName tag, ContentDigest digest)
      throws IOException;

  /** Whether a tag may not mean another manifest once it means one. */
  boolean isImmutable(RepositoryName repository, TagName tag);
}
