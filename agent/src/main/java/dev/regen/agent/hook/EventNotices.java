package dev.regen.agent.hook;

import dev.regen.agent.jobs.Events;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.oci.Notices;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What hooks tell, among the other events. */
public final class EventNotices implements Notices {
  private final Events events;

  public EventNotices(Events events) {
    this.events = events;
  }

  @Override
  public void tell(Kind kind, @Nullable QueueName queue, String message) {
    String word = kind.name().toLowerCase(Locale.ROOT).replace('_', '-');
    events.tell(word, queue == null ? null : queue.value(), message);
  }
}
