/** The OCI runtime extension: what happens at a container's create and delete. */
@NullMarked
package dev.regen.runtime.oci;

import org.jspecify.annotations.NullMarked;
