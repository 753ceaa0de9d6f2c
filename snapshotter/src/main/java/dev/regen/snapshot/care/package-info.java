/** Keeps stores in order: what nobody needs goes, and what is needed is where it belongs. */
@NullMarked
package dev.regen.snapshot.care;

import org.jspecify.annotations.NullMarked;
