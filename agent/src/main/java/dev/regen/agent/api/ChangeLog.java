package dev.regen.agent.api;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Changes in the order in which they happened, for those who follow them: {@link Answer.Follow}
 * sends them as server-sent events. A place is the id of a change: all up to it are known.
 *
 * <p>Asked by any number of threads at once, which come back for more at their own speed; so a log
 * holds nothing for any of them.
 */
public interface ChangeLog {
  /**
   * What follows a place.
   *
   * @param reset whether the place is not known, or what followed it is not all known any more:
   *     whoever was there has to look at everything anew, and goes on from {@code place}
   * @param changes empty if nothing has changed
   * @param place where to go on
   */
  record Page(boolean reset, List<Change> changes, String place) {
    public Page {
      changes = List.copyOf(changes);
    }
  }

  /**
   * The next changes after a place, oldest first.
   *
   * @param place null for whoever knows nothing yet
   * @param most how many at most
   */
  Page after(@Nullable String place, int most) throws IOException, InterruptedException;

  /**
   * Waits until something may follow {@code place}, at most so long.
   *
   * @return false if nothing will follow for this reader any more, and it should go
   */
  boolean await(String place, Duration limit) throws IOException, InterruptedException;
}
