package dev.regen.runtime.oci;

/** Whoever made a hook call and waits for its answer. */
@FunctionalInterface
public interface Caller {
  /** One that waits for as long as it takes: this very process. */
  Caller PATIENT = () -> true;

  /** Whether it still waits; after that, nothing may change under a container that may run. */
  boolean waits();
}
