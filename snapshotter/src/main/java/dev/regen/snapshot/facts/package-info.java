/**
 * What was known of the files of a group when it was archived, so that it need not be read again.
 */
@NullMarked
package dev.regen.snapshot.facts;

import org.jspecify.annotations.NullMarked;
