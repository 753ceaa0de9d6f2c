/**
 * The manager's side of a fleet: nodes connect out to it, are sent what operators ask for, and
 * report what becomes of it. Whatever is answered is in the database first; the process may be
 * killed at any time, and several may serve one database.
 */
@NullMarked
package dev.regen.agent.fleet;

import org.jspecify.annotations.NullMarked;
