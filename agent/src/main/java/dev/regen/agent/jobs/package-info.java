/** What the agent has done and is doing: events, operations, the spool, and the sweep at start. */
@NullMarked
package dev.regen.agent.jobs;

import org.jspecify.annotations.NullMarked;
