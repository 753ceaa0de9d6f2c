package dev.regen.runtime;

import java.io.EOFException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Why something failed, for a person. Many of Java's own exceptions say a path and nothing else, or
 * nothing at all: what happened is in the name of their class.
 */
public final class Why {
  private static final int CAUSES_MAX = 20;

  private Why() {}

  /** What happened and to what, without a name of a class; never empty. */
  public static String of(Throwable failure) {
    String message = failure.getMessage();
    return switch (failure) {
      case FileSystemException e when e.getReason() == null && e.getFile() != null ->
          e.getFile() + " " + what(e);
      case ConnectException _ -> connection(failure);
      case HttpConnectTimeoutException _ -> "no connection came about in time";
      case UnknownHostException _ -> "no host of the name " + message + " is known";
      case ClosedChannelException _ -> "the connection was closed";
      case EOFException _ when message == null -> "it ended too early";
      default -> message == null || message.isBlank() ? words(failure.getClass()) : message;
    };
  }

  private static String what(FileSystemException failure) {
    return switch (failure) {
      case NoSuchFileException _ -> "is not there";
      case FileAlreadyExistsException _ -> "is there already";
      case AccessDeniedException _ -> "may not be used: permission denied";
      case DirectoryNotEmptyException _ -> "is a directory that is not empty";
      case NotDirectoryException _ -> "is no directory";
      default -> "cannot be used (" + words(failure.getClass()) + ")";
    };
  }

  private static String connection(Throwable failure) {
    @Nullable Throwable cause = failure;
    for (int i = 0; cause != null && i < CAUSES_MAX; i++) {
      if (cause instanceof UnresolvedAddressException || cause instanceof UnknownHostException) {
        return "no host of that name is known";
      }
      cause = cause.getCause();
    }
    String message = failure.getMessage();
    return message == null || message.equals("Connection refused")
        ? "nobody listens there (connection refused)"
        : message;
  }

  /** {@code SocketTimeoutException} as {@code socket timeout}. */
  private static String words(Class<?> type) {
    return type.getSimpleName()
        .replaceFirst("(Exception|Error)$", "")
        .replaceAll("(?<=[a-z])([A-Z])", " $1")
        .toLowerCase(Locale.ROOT);
  }
}
