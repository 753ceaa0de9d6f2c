/** From a frozen tree to a snapshot at the queue's tail. */
@NullMarked
package dev.regen.snapshot.capture;

import org.jspecify.annotations.NullMarked;
