/** The agent's API on its Unix socket: a class for each resource. */
@NullMarked
package dev.regen.agent.http;

import org.jspecify.annotations.NullMarked;
