/**
 * What a process tells of itself: metrics for Prometheus, logs as JSON, traces over OTLP. Nothing
 * of this is needed by what it tells of, which knows it by small interfaces of its own.
 */
@NullMarked
package dev.regen.agent.observe;

import org.jspecify.annotations.NullMarked;
