/** HTTP over TCP for the processes that serve other hosts: storage servers and the manager. */
@NullMarked
package dev.regen.agent.tcp;

import org.jspecify.annotations.NullMarked;
