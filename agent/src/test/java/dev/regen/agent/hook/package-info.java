/** A hook that dies. */
@NullMarked
package dev.regen.agent.hook;

import org.jspecify.annotations.NullMarked;
