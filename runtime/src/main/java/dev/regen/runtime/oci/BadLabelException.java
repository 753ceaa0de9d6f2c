package dev.regen.runtime.oci;

import dev.regen.runtime.QueueName;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A label {@code regen.*} that holds what it must not. The container does not start, whatever else
 * its labels say: whoever wrote them is there to mend them, and would learn too late that nothing
 * was kept.
 */
final class BadLabelException extends IOException {
  private static final long serialVersionUID = 1;

  /** What a person calls the container, empty if nobody says. */
  private final String container;

  private final transient @Nullable QueueName queue;

  /** {@code message} names the label and what is wrong. */
  BadLabelException(String message) {
    this(message, "", null);
  }

  private BadLabelException(String message, String container, @Nullable QueueName queue) {
    super(message);
    this.container = container;
    this.queue = queue;
  }

  /** The same of one container. */
  BadLabelException of(String name, @Nullable QueueName itsQueue) {
    return new BadLabelException(RuntimeExtension.why(this), name, itsQueue);
  }

  String container() {
    return container;
  }

  /** The queue it would have had, null if the labels do not say. */
  @Nullable QueueName queue() {
    return queue;
  }
}
