/**
 * JSON as Regen's own files use it, read and written by streaming alone, so that a hook need not
 * load a binding library.
 */
@NullMarked
package dev.regen.runtime.json;

import org.jspecify.annotations.NullMarked;
