/** Images of the engine in a store: their layers as chunks, and the records that name them. */
@NullMarked
package dev.regen.snapshot.image;

import org.jspecify.annotations.NullMarked;
