/**
 * Snapshots of a store as images of its registry: manifests over chunks that are there already.
 * Knows nothing of HTTP.
 */
@NullMarked
package dev.regen.snapshot.publish;

import org.jspecify.annotations.NullMarked;
