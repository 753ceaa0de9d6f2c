/** Chunks: cutting, compressing, digests. */
@NullMarked
package dev.regen.snapshot.chunk;

import org.jspecify.annotations.NullMarked;
