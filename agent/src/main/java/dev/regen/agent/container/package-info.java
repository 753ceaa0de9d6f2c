/**
 * What the agent does to containers through their engine: capture, restore, care for plain runc.
 */
@NullMarked
package dev.regen.agent.container;

import org.jspecify.annotations.NullMarked;
