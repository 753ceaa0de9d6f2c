package dev.regen.snapshot.publish;

import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.registry.ContentDigest;

/**
 * What became of a snapshot.
 *
 * @param digest of the image's manifest
 * @param layers how many the image has
 * @param layerBytes what these take as they are served
 */
public record Published(Snapshot snapshot, ContentDigest digest, int layers, long layerBytes) {}
