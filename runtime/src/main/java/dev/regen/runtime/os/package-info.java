/**
 * System calls that Java has no word for: calls relative to a directory descriptor, extended
 * attributes, mounts, locks. The only user of JNA.
 *
 * <p>Names and paths are bytes, since a container may hold names that are no UTF-8. Every failure
 * is an {@link dev.regen.runtime.os.ErrnoException} that names the call, the path and the cause.
 */
@NullMarked
package dev.regen.runtime.os;

import org.jspecify.annotations.NullMarked;
