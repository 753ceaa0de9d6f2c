package dev.regen.agent.api;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * A log's changes as server-sent events, for one reader; each event is of the change's kind.
 *
 * <p>{@code reset} comes first for a reader whose place is not known: it has to load everything
 * anew, and sees all that changes from then on. A reader that falls so far behind that its place is
 * lost is sent away, and finds that out when it comes back.
 *
 * <p>Source: WHATWG, HTML, 9.2 "Server-sent events".
 */
final class ChangeStream {
  private static final int AT_ONCE = 100;
  private static final int BUFFER_BYTES = 16 << 10;

  private final ChangeLog log;
  private final Duration aliveEvery;
  private final Admission admission;

  /** Whether the reader may still read. */
  @FunctionalInterface
  interface Admission {
    /** Fails if it may not, as its token was removed. */
    void check() throws IOException, InterruptedException;
  }

  /**
   * @param aliveEvery after so long without a change a comment says that this end still lives, and
   *     as often the reader is checked again
   */
  ChangeStream(ChangeLog log, Duration aliveEvery, Admission admission) {
    this.log = log;
    this.aliveEvery = aliveEvery;
    this.admission = admission;
  }

  void write(ChangeLog.Page first, OutputStream to) throws IOException, InterruptedException {
    OutputStream out = new BufferedOutputStream(to, BUFFER_BYTES);
    ChangeLog.Page page = first;
    if (page.reset()) {
      write(new Change(page.place(), "reset", "{}"), out);
    } else if (page.changes().isEmpty()) {
      write(": alive\n\n", out);
    }
    long checkedAt = System.nanoTime();
    while (true) {
      for (Change change : page.changes()) {
        write(change, out);
      }
      out.flush();
      if (!log.await(page.place(), aliveEvery)) {
        return;
      }
      if (System.nanoTime() - checkedAt >= aliveEvery.toNanos()) {
        admission.check();
        checkedAt = System.nanoTime();
      }
      page = log.after(page.place(), AT_ONCE);
      if (page.reset()) {
        throw new IOException("the reader of a stream of changes has lost its place");
      }
      if (page.changes().isEmpty()) {
        write(": alive\n\n", out);
      }
    }
  }

  /** What a reader begins with. */
  static ChangeLog.Page first(Answer.Follow follow) throws IOException, InterruptedException {
    return follow.log().after(follow.after(), AT_ONCE);
  }

  private static void write(Change change, OutputStream out) throws IOException {
    write(
        "id: " + change.id() + "\nevent: " + change.kind() + "\ndata: " + change.data() + "\n\n",
        out);
  }

  private static void write(String text, OutputStream out) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
  }
}
