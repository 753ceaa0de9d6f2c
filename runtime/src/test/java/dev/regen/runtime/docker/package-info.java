@NullMarked
package dev.regen.runtime.docker;

import org.jspecify.annotations.NullMarked;
