/** The command line: a class for each command. The only place that prints. */
@NullMarked
package dev.regen.agent.cli;

import org.jspecify.annotations.NullMarked;
