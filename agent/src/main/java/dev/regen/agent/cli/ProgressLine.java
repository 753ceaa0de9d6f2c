package dev.regen.agent.cli;

import dev.regen.runtime.Count;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;

/**
 * How far long work is: one line that changes on a terminal, a plain line per step elsewhere, or a
 * JSON object a line, one a second and one for each step.
 */
final class ProgressLine {
  /** Before that a rate says nothing. */
  private static final double RATE_SECONDS_MIN = 0.5;

  private static final long JSON_NANOS = 1_000_000_000L;

  /** For whom it is. */
  private enum Form {
    TERMINAL,
    LINES,
    JSON
  }

  private final PrintWriter out;
  private final Form form;
  private String shown = "";
  private long shownAtNanos;
  private String timed = "";
  private long timedSinceNanos;
  private long timedFromBytes;
  private final ServerRates servers = new ServerRates();

  ProgressLine(PrintWriter out, boolean terminal) {
    this(out, terminal ? Form.TERMINAL : Form.LINES);
  }

  private ProgressLine(PrintWriter out, Form form) {
    this.out = out;
    this.form = form;
  }

  /**
   * @param terminal whether a person watches
   * @param json whether a program does, if no person
   */
  static ProgressLine of(PrintWriter out, boolean terminal, boolean json) {
    return new ProgressLine(out, terminal ? Form.TERMINAL : json ? Form.JSON : Form.LINES);
  }

  void show(JsonObject job) throws IOException {
    String step = job.string("step");
    String words = step.isEmpty() ? job.string("kind") + " " + job.string("subject") : step;
    long rate = bytesPerSecond(step, job);
    servers.look(job);
    switch (form) {
      case TERMINAL -> {
        String line = words + howFar(job, rate);
        if (!line.equals(shown)) {
          shown = line;
          out.print("\r\u001b[K" + line);
          out.flush();
        }
      }
      case LINES -> {
        if (!words.equals(shown)) {
          shown = words;
          out.println(words);
        }
      }
      case JSON -> {
        if (!words.equals(shown) || System.nanoTime() - shownAtNanos >= JSON_NANOS) {
          shown = words;
          shownAtNanos = System.nanoTime();
          out.println(json(words, job, rate));
        }
      }
    }
  }

  private JsonObject json(String words, JsonObject job, long rate) throws IOException {
    JsonObject json = new JsonObject().with("step", words);
    long expected = job.numberOr("bytesExpected", 0);
    if (expected > 0 || job.numberOr("entriesExpected", 0) > 0) {
      long bytes = job.numberOr("bytes", 0);
      json.with("chunks", job.numberOr("entries", 0))
          .with("chunksExpected", job.numberOr("entriesExpected", 0))
          .with("bytes", bytes)
          .with("bytesExpected", expected == 0 ? null : expected)
          .with("bytesPerSecond", rate < 1 ? null : rate)
          .with(
              "secondsLeft",
              rate < 1 || expected == 0 ? null : secondsLeft(expected - bytes, rate));
      if (job.has("servers")) {
        json.with("servers", servers.json());
      }
    }
    return json;
  }

  private String howFar(JsonObject job, long rate) throws IOException {
    long entries = job.numberOr("entries", 0);
    long bytes = job.numberOr("bytes", 0);
    long expected = job.numberOr("bytesExpected", 0);
    if (expected == 0 && job.numberOr("entriesExpected", 0) > 0) {
      String of = entries + " of " + job.numberOr("entriesExpected", 0);
      return ": " + of + ", " + Sizes.of(bytes);
    }
    if (expected == 0) {
      return entries > 0 ? ": " + Count.of(entries, "entry") + ", " + Sizes.of(bytes) : "";
    }
    String line =
        ": "
            + entries
            + " of "
            + Count.of(job.numberOr("entriesExpected", 0), "chunk")
            + ", "
            + Sizes.of(bytes)
            + " of "
            + Sizes.of(expected);
    return rate < 1
        ? line
        : line
            + ", "
            + Sizes.of(rate)
            + "/s"
            + servers.words()
            + ", "
            + secondsLeft(expected - bytes, rate)
            + " s left";
  }

  /** Since the step began; 0 while that says nothing. */
  private long bytesPerSecond(String step, JsonObject job) throws IOException {
    long bytes = job.numberOr("bytes", 0);
    if (!step.equals(timed) || bytes < timedFromBytes) {
      timed = step;
      timedSinceNanos = System.nanoTime();
      timedFromBytes = bytes;
    }
    double seconds = (System.nanoTime() - timedSinceNanos) / 1e9;
    return seconds < RATE_SECONDS_MIN ? 0 : (long) ((bytes - timedFromBytes) / seconds);
  }

  private static long secondsLeft(long bytes, long rate) {
    return (Math.max(0, bytes) + rate - 1) / rate;
  }

  void bytes(String words, long bytes) {
    if (form == Form.TERMINAL) {
      out.print("\r\u001b[K" + words + ": " + Sizes.of(bytes));
      out.flush();
      shown = words;
    }
  }

  void end() {
    if (form == Form.TERMINAL && !shown.isEmpty()) {
      out.print("\r\u001b[K");
      out.flush();
    }
  }
}
