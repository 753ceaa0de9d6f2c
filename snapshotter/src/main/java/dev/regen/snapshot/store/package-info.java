/** Where chunks and snapshot manifests are kept. */
@NullMarked
package dev.regen.snapshot.store;

import org.jspecify.annotations.NullMarked;
