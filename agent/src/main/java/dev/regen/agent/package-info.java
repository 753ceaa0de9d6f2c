/** The node agent: wiring and configuration. */
@NullMarked
package dev.regen.agent;

import org.jspecify.annotations.NullMarked;
