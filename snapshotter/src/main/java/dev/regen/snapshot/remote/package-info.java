/** Stores of chunks that several hosts share: a directory, a storage server. */
@NullMarked
package dev.regen.snapshot.remote;

import org.jspecify.annotations.NullMarked;
