package dev.regen.snapshot.publish;

import dev.regen.runtime.QueueName;
import dev.regen.snapshot.registry.RepositoryName;
import dev.regen.snapshot.registry.TagName;

/**
 * What somebody wants published.
 *
 * @param snapshot its address in the queue, as the store has it
 * @param tag what the image is called from then on
 * @param squash whether the image has one layer, in which nothing is of what is deleted
 */
public record PublishRequest(
    QueueName queue,
    String snapshot,
    RepositoryName repository,
    TagName tag,
    LayerForm layer,
    ManifestForm manifest,
    boolean squash) {
  public PublishRequest {
    if (!manifest.knows(layer)) {
      throw new IllegalArgumentException(
          "a manifest of Docker's has no name for layers of zstd: say --manifest=oci, or"
              + " --layer=gzip or tar");
    }
  }
}
