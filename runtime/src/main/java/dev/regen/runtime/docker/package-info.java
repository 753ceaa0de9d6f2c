/**
 * The container engine's API, as raw JSON so that no member is lost. The only user of docker-java;
 * never called from a hook.
 */
@NullMarked
package dev.regen.runtime.docker;

import org.jspecify.annotations.NullMarked;
