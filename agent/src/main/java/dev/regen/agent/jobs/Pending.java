package dev.regen.agent.jobs;

import java.io.IOException;
import java.util.List;

/** What waits in the spool. */
@FunctionalInterface
public interface Pending {
  /** In the order of the ends, oldest first. */
  List<PendingLayer> pending() throws IOException;
}
