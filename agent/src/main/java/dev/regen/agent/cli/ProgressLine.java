package dev.regen.agent.cli;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;

/** How far long work is: one line that changes on a terminal, a plain line per step elsewhere. */
final class ProgressLine {
  private final PrintWriter out;
  private final boolean terminal;
  private String shown = "";

  ProgressLine(PrintWriter out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  void show(JsonObject job) throws IOException {
    String step = job.string("step");
    String words = step.isEmpty() ? job.string("state") : step;
    long entries = job.numberOr("entries", 0);
    String line =
        terminal && entries > 0
            ? words + ": " + entries + " entries, " + Sizes.of(job.numberOr("bytes", 0))
            : words;
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
