/**
 * Making things last: the only place that renames and forces. Bytes, force, rename, force the
 * directory.
 */
@NullMarked
package dev.regen.runtime.durable;

import org.jspecify.annotations.NullMarked;
