/** Overlay file systems: whiteouts, opaque directories, the mount table, union mounts, freezing. */
@NullMarked
package dev.regen.runtime.overlay;

import org.jspecify.annotations.NullMarked;
