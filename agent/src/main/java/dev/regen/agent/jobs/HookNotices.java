package dev.regen.agent.jobs;

import dev.regen.runtime.QueueName;
import dev.regen.runtime.oci.Notices;
import org.jspecify.annotations.Nullable;

/** What hooks say, among the agent's events. */
public final class HookNotices implements Notices {
  private final Events events;

  public HookNotices(Events events) {
    this.events = events;
  }

  @Override
  public void tell(Kind kind, @Nullable QueueName queue, String message) {
    Event.Kind event =
        switch (kind) {
          case REGENERATED -> Event.Kind.REGENERATED;
          case ENDED -> Event.Kind.ENDED;
          case STARTED_CLEAN -> Event.Kind.STARTED_CLEAN;
          case MERGED -> Event.Kind.MERGED;
          case PUT_BACK -> Event.Kind.PUT_BACK;
          case REFUSED -> Event.Kind.REFUSED;
          case NOT_HELD -> Event.Kind.VOLUME_WARNING;
          case FAILED -> Event.Kind.FAILED;
        };
    events.tell(event, queue == null ? null : queue.value(), message);
  }
}
