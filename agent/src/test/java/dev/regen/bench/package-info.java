/** What {@code scripts/bench} measures with. */
@NullMarked
package dev.regen.bench;

import org.jspecify.annotations.NullMarked;
