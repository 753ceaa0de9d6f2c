/** What differs between two layers over one image, as a container would see it. */
@NullMarked
package dev.regen.snapshot.diff;

import org.jspecify.annotations.NullMarked;
