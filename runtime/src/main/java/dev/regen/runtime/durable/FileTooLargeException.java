package dev.regen.runtime.durable;

import java.io.IOException;
import java.nio.file.Path;

/** A file that holds more than its reader allows; nothing of it was read. */
public final class FileTooLargeException extends IOException {
  private static final long serialVersionUID = 1;

  public FileTooLargeException(Path file, long sizeBytes, long limitBytes) {
    super(file + " holds " + sizeBytes + " bytes; at most " + limitBytes + " fit");
  }
}
