/** Snapshots to and from stores that several hosts share. */
@NullMarked
package dev.regen.snapshot.transfer;

import org.jspecify.annotations.NullMarked;
