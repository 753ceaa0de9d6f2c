@NullMarked
package dev.regen.agent.host;

import org.jspecify.annotations.NullMarked;
