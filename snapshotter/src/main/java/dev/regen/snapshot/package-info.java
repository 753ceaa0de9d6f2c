/** Snapshots: their identity, digests and errors. */
@NullMarked
package dev.regen.snapshot;

import org.jspecify.annotations.NullMarked;
