/**
 * HTTP with JSON, for the agent's API and the manager's: a document in OpenAPI says what there is,
 * {@link dev.regen.agent.api.Routes} binds each operation of it to what does it.
 */
@NullMarked
package dev.regen.agent.api;

import org.jspecify.annotations.NullMarked;
