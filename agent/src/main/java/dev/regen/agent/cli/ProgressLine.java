package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;

/** How far long work is: one line that changes on a terminal, a plain line per step elsewhere. */
final class ProgressLine {
  /** Before that a rate says nothing. */
  private static final double RATE_SECONDS_MIN = 0.5;

  private final PrintWriter out;
  private final boolean terminal;
  private String shown = "";
  private String timed = "";
  private long timedSinceNanos;
  private long timedFromBytes;

  ProgressLine(PrintWriter out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  void show(JsonObject job) throws IOException {
    String step = job.string("step");
    String words = step.isEmpty() ? job.string("kind") + " " + job.string("subject") : step;
    String line = terminal ? words + howFar(step, job) : words;
    if (line.equals(shown)) {
      return;
    }
    shown = line;
    if (terminal) {
      out.print("\r\u001b[K" + line);
      out.flush();
    } else {
      out.println(line);
    }
  }

  private String howFar(String step, JsonObject job) throws IOException {
    long entries = job.numberOr("entries", 0);
    long bytes = job.numberOr("bytes", 0);
    long expected = job.numberOr("bytesExpected", 0);
    if (expected == 0) {
      return entries > 0 ? ": " + entries + " entries, " + Sizes.of(bytes) : "";
    }
    if (!step.equals(timed)) {
      timed = step;
      timedSinceNanos = System.nanoTime();
      timedFromBytes = bytes;
    }
    String line =
        ": "
            + entries
            + " of "
            + job.numberOr("entriesExpected", 0)
            + " chunks, "
            + Sizes.of(bytes)
            + " of "
            + Sizes.of(expected);
    double seconds = (System.nanoTime() - timedSinceNanos) / 1e9;
    double rate = (bytes - timedFromBytes) / seconds;
    return seconds < RATE_SECONDS_MIN || rate < 1
        ? line
        : line
            + ", "
            + Sizes.of((long) rate)
            + "/s, "
            + (long) Math.ceil((expected - bytes) / rate)
            + " s left";
  }

  void bytes(String words, long bytes) {
    if (terminal) {
      out.print("\r\u001b[K" + words + ": " + Sizes.of(bytes));
      out.flush();
      shown = words;
    }
  }

  void end() {
    if (terminal && !shown.isEmpty()) {
      out.print("\r\u001b[K");
      out.flush();
    }
  }
}
