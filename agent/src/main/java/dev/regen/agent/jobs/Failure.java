package dev.regen.agent.jobs;

import dev.regen.runtime.Why;
import dev.regen.runtime.docker.EngineException;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * A failure as the API and the command line tell it. Here, and nowhere else, stands which failure
 * has which HTTP status and which exit code.
 */
public record Failure(Code code, String message) {
  private static final int MESSAGE_MAX = 2000;

  /** The kinds of failure that a caller can tell apart. */
  public enum Code {
    NOT_FOUND(404, 3),
    REFUSED(409, 4),
    BAD_INPUT(400, 1),
    USAGE(400, 2),
    DAMAGED(500, 1),
    ENGINE_AWAY(503, 1),
    CANCELLED(409, 1),
    /** It could not be begun in time; nothing was changed. */
    NOT_STARTED(503, 1),
    /** The agent ended while it ran. */
    INTERRUPTED(500, 1),
    FAILED(500, 1),
    UNAUTHORIZED(401, 1),
    FORBIDDEN(403, 4),
    METHOD_NOT_ALLOWED(405, 1),
    TOO_LARGE(413, 1),
    TOO_MANY_REQUESTS(429, 1),
    /** Not now; later perhaps. */
    UNAVAILABLE(503, 1),
    /** Seen by the command line alone: nobody answers on the agent's socket. */
    AGENT_UNREACHABLE(503, 5);

    private final int status;
    private final int exitCode;

    Code(int status, int exitCode) {
      this.status = status;
      this.exitCode = exitCode;
    }

    public int status() {
      return status;
    }

    public int exitCode() {
      return exitCode;
    }

    /** The code in an answer of the API. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** The same for a person. */
    public String title() {
      return word().replace('_', ' ');
    }

    /** Reads {@link #word}; an unknown word is {@link #FAILED}. */
    public static Code of(@Nullable String word) {
      for (Code code : values()) {
        if (code.word().equals(word)) {
          return code;
        }
      }
      return FAILED;
    }
  }

  public Failure {
    message = message.replaceAll("\\p{Cntrl}", " ");
    message = message.length() > MESSAGE_MAX ? message.substring(0, MESSAGE_MAX) : message;
  }

  public static Failure of(Throwable cause) {
    return switch (cause) {
      case RegenException e ->
          switch (e) {
            case RegenException.NotFound _ -> new Failure(Code.NOT_FOUND, Why.of(e));
            case RegenException.Refused _ -> new Failure(Code.REFUSED, Why.of(e));
            case RegenException.BadInput _ -> new Failure(Code.BAD_INPUT, Why.of(e));
            case RegenException.Misuse _ -> new Failure(Code.USAGE, Why.of(e));
            case RegenException.Damaged _ -> new Failure(Code.DAMAGED, Why.of(e));
          };
      case EngineException.Away e -> new Failure(Code.ENGINE_AWAY, Why.of(e));
      case EngineException.Refused e -> new Failure(Code.FAILED, "the engine: " + Why.of(e));
      case IllegalArgumentException e -> new Failure(Code.BAD_INPUT, Why.of(e));
      case CancellationException e -> new Failure(Code.CANCELLED, Why.of(e));
      case IOException e -> new Failure(Code.FAILED, Why.of(e));
      default -> new Failure(Code.FAILED, "a mistake of Regen's own: " + cause);
    };
  }
}
