/**
 * How the {@code sh} front reaches the runtime extension: in the agent, or in a process of its own.
 */
@NullMarked
package dev.regen.agent.hook;

import org.jspecify.annotations.NullMarked;
