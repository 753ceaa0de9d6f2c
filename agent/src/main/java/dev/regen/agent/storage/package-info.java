/** The storage server: chunks and records of one directory over HTTP. */
@NullMarked
package dev.regen.agent.storage;

import org.jspecify.annotations.NullMarked;
