package dev.regen.agent.registry;

import dev.regen.agent.tcp.Exchange;
import dev.regen.agent.tcp.StatusException;
import dev.regen.runtime.Why;
import dev.regen.runtime.durable.DiskFullException;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.registry.RegistryException;
import dev.regen.snapshot.registry.RegistryException.Code;
import dev.regen.snapshot.registry.Uploads;
import java.io.IOException;
import java.util.List;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpStatus;
import org.jspecify.annotations.Nullable;

/**
 * A failure in the form of the distribution-spec. Here stands which failure has which status.
 *
 * <p>Source: OCI distribution-spec v1.1, "Error Codes".
 */
record RegistryProblem(int status, Code code, String message, @Nullable JsonObject detail) {
  private static final int MESSAGE_MAX = 2_000;

  // What a client is told of the store; where it is, and what it said, stands in the log.
  private static final String FULL =
      "the registry's store is full: what was pushed before is there; ask its operator for room";
  private static final String AWAY =
      "the registry's store cannot do this now; try again, or ask its operator";
  private static final String DAMAGED =
      "what is stored is damaged: push it again, or ask the registry's operator";

  RegistryProblem {
    String text = message.replaceAll("\\p{Cntrl}", " ");
    message = text.substring(0, Math.min(text.length(), MESSAGE_MAX));
  }

  static RegistryProblem of(Exception cause) {
    String message = Why.of(cause);
    if (cause instanceof HttpException e) {
      return new RegistryProblem(e.getCode(), Code.UNSUPPORTED, message, null);
    }
    if (DiskFullException.behind(cause).isPresent()) {
      return new RegistryProblem(HttpStatus.INSUFFICIENT_STORAGE_507, Code.UNAVAILABLE, FULL, null);
    }
    return switch (cause) {
      case RegistryException e ->
          new RegistryProblem(status(e.code()), e.code(), message, e.detail());
      // It may have gone for good; then nobody reads this.
      case Uploads.Gone _ ->
          new RegistryProblem(
              HttpStatus.REQUEST_TIMEOUT_408, Code.BLOB_UPLOAD_INVALID, message, null);
      case StatusException e -> new RegistryProblem(e.status(), Code.UNSUPPORTED, message, null);
      case RegenException.BadInput _ ->
          new RegistryProblem(HttpStatus.BAD_REQUEST_400, Code.UNSUPPORTED, message, null);
      case RegenException.NotFound _ ->
          new RegistryProblem(HttpStatus.NOT_FOUND_404, Code.UNKNOWN, message, null);
      case RegenException.Refused _ ->
          new RegistryProblem(HttpStatus.SERVICE_UNAVAILABLE_503, Code.UNAVAILABLE, AWAY, null);
      case RegenException _ ->
          new RegistryProblem(HttpStatus.INTERNAL_SERVER_ERROR_500, Code.UNKNOWN, DAMAGED, null);
      case IllegalArgumentException _ ->
          new RegistryProblem(HttpStatus.BAD_REQUEST_400, Code.UNSUPPORTED, message, null);
      case IOException _ ->
          new RegistryProblem(HttpStatus.SERVICE_UNAVAILABLE_503, Code.UNAVAILABLE, AWAY, null);
      default ->
          new RegistryProblem(
              HttpStatus.INTERNAL_SERVER_ERROR_500,
              Code.UNKNOWN,
              "a mistake of the manager's",
              null);
    };
  }

  private static int status(Code code) {
    return switch (code) {
      case BLOB_UNKNOWN, BLOB_UPLOAD_UNKNOWN, MANIFEST_UNKNOWN, NAME_UNKNOWN ->
          HttpStatus.NOT_FOUND_404;
      case MANIFEST_BLOB_UNKNOWN,
          DIGEST_INVALID,
          MANIFEST_INVALID,
          NAME_INVALID,
          PAGINATION_NUMBER_INVALID,
          SIZE_INVALID,
          TAG_INVALID ->
          HttpStatus.BAD_REQUEST_400;
      case BLOB_UPLOAD_INVALID -> HttpStatus.CONFLICT_409;
      case UNAUTHORIZED -> HttpStatus.UNAUTHORIZED_401;
      case DENIED -> HttpStatus.FORBIDDEN_403;
      case UNSUPPORTED -> HttpStatus.METHOD_NOT_ALLOWED_405;
      case TOOMANYREQUESTS -> HttpStatus.TOO_MANY_REQUESTS_429;
      case RANGE_INVALID -> HttpStatus.RANGE_NOT_SATISFIABLE_416;
      case UNAVAILABLE -> HttpStatus.SERVICE_UNAVAILABLE_503;
      case UNKNOWN -> HttpStatus.INTERNAL_SERVER_ERROR_500;
    };
  }

  /** Says it to the client, before the rest of his body is read, if more of it can come. */
  void answer(Exchange exchange) {
    if (status == HttpStatus.SERVICE_UNAVAILABLE_503
        || status == HttpStatus.TOO_MANY_REQUESTS_429) {
      exchange.set("Retry-After", "1");
    }
    // What was said of the content before it could not be sent does not hold for this.
    exchange.response().getHeaders().remove("ETag");
    exchange.set("Cache-Control", "no-store");
    if (status == HttpStatus.REQUEST_TIMEOUT_408) {
      exchange.answer(status, "application/json", body());
    } else {
      exchange.refuse(status, "application/json", body());
    }
  }

  private byte[] body() {
    return json().bytes();
  }

  /** As the spec has it. */
  JsonObject json() {
    JsonObject error = new JsonObject().with("code", code).with("message", message);
    if (detail != null) {
      error.with("detail", detail);
    }
    return new JsonObject().with("errors", List.of(error));
  }
}
