/** What may be done in which state: said once, for the API, the command line and a page. */
@NullMarked
package dev.regen.agent.rules;

import org.jspecify.annotations.NullMarked;
