/**
 * What a registry holds, over the chunks and records of a store: repositories with blobs,
 * manifests, tags and uploads. Knows nothing of HTTP.
 *
 * <p>Every record but an upload's is written once under a name of its own and never replaced:
 * copies on several servers cannot differ, a name that is listed can be cached for good, and who
 * removes what he has seen never removes what another has written meanwhile. {@link
 * dev.regen.snapshot.registry.Names} says which records there are.
 */
@NullMarked
package dev.regen.snapshot.registry;

import org.jspecify.annotations.NullMarked;
