/** What a container runtime is to Regen: ids, names, ends. */
@NullMarked
package dev.regen.runtime;

import org.jspecify.annotations.NullMarked;
