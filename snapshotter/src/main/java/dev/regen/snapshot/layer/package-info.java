/** Layer trees to layer archives and back. The only user of Commons Compress. */
@NullMarked
package dev.regen.snapshot.layer;

import org.jspecify.annotations.NullMarked;
