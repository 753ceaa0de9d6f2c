package dev.regen.runtime.durable;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** The disk, or what this user may have of it, is full; it may have worked with more room. */
public final class DiskFullException extends IOException {
  private static final long serialVersionUID = 1;
  private static final int CAUSES_MAX = 20;

  public DiskFullException(Path file, Throwable cause) {
    super("no space left on the disk for " + file, cause);
  }

  /** Whether a full disk is behind {@code failure}, at any depth of its causes. */
  public static Optional<DiskFullException> behind(Throwable failure) {
    Throwable cause = failure;
    for (int i = 0; cause != null && i < CAUSES_MAX; i++) {
      if (cause instanceof DiskFullException full) {
        return Optional.of(full);
      }
      cause = cause.getCause();
    }
    return Optional.empty();
  }

  /** {@code failure}, or a {@link DiskFullException} about {@code file} if that is its reason. */
  static IOException orAsItIs(Path file, IOException failure) {
    String message = String.valueOf(failure.getMessage());
    // The text of the C library; Java has no type for these two.
    boolean full = message.contains("No space left") || message.contains("quota exceeded");
    return full ? new DiskFullException(file, failure) : failure;
  }
}
