package dev.regen.agent.cli;

import java.io.IOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Standard output, whose failures are thrown and remembered: who prints text does not see them, and
 * a command that could not say what it was asked for has failed.
 */
final class StandardOutput extends OutputStream {
  /** {@code EPIPE}, as the JDK words it. */
  private static final String BROKEN_PIPE = "Broken pipe";

  private final OutputStream out;
  private @Nullable IOException failure;

  StandardOutput(OutputStream out) {
    this.out = out;
  }

  /**
   * What kept the output from being written, in a line; null if all of it was, or if its reader
   * wanted no more, as {@code head} does.
   */
  @Nullable String failure() {
    IOException cause = failure;
    boolean isPipe = cause != null && String.valueOf(cause.getMessage()).endsWith(BROKEN_PIPE);
    return cause == null || isPipe ? null : cause.getMessage();
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    try {
      out.write(bytes, offset, length);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  @Override
  public void flush() throws IOException {
    try {
      out.flush();
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private IOException failed(IOException e) {
    IOException told =
        failure == null
            ? new IOException("standard output cannot be written: " + e.getMessage(), e)
            : failure;
    failure = told;
    return told;
  }
}
