/**
 * The manager's database, SQLite or PostgreSQL, with one SQL for both. Whoever changes something
 * does so in a {@link dev.regen.agent.fleet.db.Edit}; all that wait share one transaction.
 */
@NullMarked
package dev.regen.agent.fleet.db;

import org.jspecify.annotations.NullMarked;
