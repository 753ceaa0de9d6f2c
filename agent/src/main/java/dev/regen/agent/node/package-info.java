/**
 * A node's side of a fleet: it connects out to its manager, does what it is asked there and tells
 * what happens here. Nothing of it stands in the way of a hook or of the agent's start.
 */
@NullMarked
package dev.regen.agent.node;

import org.jspecify.annotations.NullMarked;
