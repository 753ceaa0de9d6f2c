/** Tests of the runtime extension, over real overlay mounts. */
@NullMarked
package dev.regen.runtime.oci;

import org.jspecify.annotations.NullMarked;
