/**
 * The manager: the OCI distribution API over the repositories of a store.
 *
 * <p>{@link dev.regen.agent.registry.RegistryHandler} finds the resource for a path and says what
 * failed in the form of the distribution-spec; {@code …Resource} answers; {@link
 * dev.regen.agent.registry.Access} says who may do what.
 */
@NullMarked
package dev.regen.agent.registry;

import org.jspecify.annotations.NullMarked;
