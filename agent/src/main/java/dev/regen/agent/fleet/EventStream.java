package dev.regen.agent.fleet;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** Server-sent events for one reader. Source: WHATWG, HTML, 9.2 "Server-sent events". */
final class EventStream {
  static final String TYPE = "text/event-stream";

  private static final int BUFFER_BYTES = 8 << 10;

  private final OutputStream out;

  EventStream(OutputStream out) {
    this.out = new BufferedOutputStream(out, BUFFER_BYTES);
  }

  /**
   * @param data on one line
   */
  void event(long id, String kind, String data) throws IOException {
    write("id: " + id + "\nevent: " + kind + "\ndata: " + data + "\n\n");
  }

  /** This end still lives. */
  void alive() throws IOException {
    write(": alive\n\n");
  }

  void flush() throws IOException {
    out.flush();
  }

  private void write(String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
  }
}
