/** The fixed-length queue of one regenerable container's snapshots. */
@NullMarked
package dev.regen.snapshot.queue;

import org.jspecify.annotations.NullMarked;
