/** Regen on a host: what is installed where, how the engine learns of it, and what fits. */
@NullMarked
package dev.regen.agent.host;

import org.jspecify.annotations.NullMarked;
