/** From a snapshot back to a layer tree that is ready to move in. */
@NullMarked
package dev.regen.snapshot.restore;

import org.jspecify.annotations.NullMarked;
