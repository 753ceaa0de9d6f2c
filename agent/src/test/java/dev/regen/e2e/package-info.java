/**
 * Regen as its users meet it: a real engine, the {@code sh} front, the agent as a process, {@code
 * docker} and {@code regen} on the command line.
 */
@NullMarked
package dev.regen.e2e;

import org.jspecify.annotations.NullMarked;
