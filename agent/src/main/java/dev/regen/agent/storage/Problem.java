package dev.regen.agent.storage;

import dev.regen.agent.tcp.Exchange;
import dev.regen.agent.tcp.StatusException;
import dev.regen.runtime.Why;
import dev.regen.runtime.durable.DiskFullException;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpStatus;

/** A failure as problem details (RFC 9457). Here stands which failure has which status. */
record Problem(int status, String detail) {
  private static final int DETAIL_MAX = 2000;

  Problem {
    String text = detail.replaceAll("\\p{Cntrl}", " ");
    detail = text.substring(0, Math.min(text.length(), DETAIL_MAX));
  }

  static Problem of(Exception cause) {
    String detail = Why.of(cause);
    if (DiskFullException.behind(cause).isPresent()) {
      return new Problem(HttpStatus.INSUFFICIENT_STORAGE_507, detail);
    }
    if (cause instanceof HttpException e) {
      return new Problem(e.getCode(), detail);
    }
    return switch (cause) {
      case StatusException e -> new Problem(e.status(), detail);
      case RegenException e ->
          switch (e) {
            case RegenException.NotFound _ -> new Problem(HttpStatus.NOT_FOUND_404, detail);
            case RegenException.Refused _ -> new Problem(HttpStatus.CONFLICT_409, detail);
            case RegenException.Misuse _ -> new Problem(HttpStatus.BAD_REQUEST_400, detail);
            case RegenException.BadInput _ -> new Problem(HttpStatus.BAD_REQUEST_400, detail);
            case RegenException.Damaged _ ->
                new Problem(HttpStatus.INTERNAL_SERVER_ERROR_500, detail);
          };
      case IllegalArgumentException _ -> new Problem(HttpStatus.BAD_REQUEST_400, detail);
      case IOException _ -> new Problem(HttpStatus.INTERNAL_SERVER_ERROR_500, detail);
      default -> new Problem(HttpStatus.INTERNAL_SERVER_ERROR_500, "a mistake of the server's");
    };
  }

  /** Says it to the client, before the rest of his body is read. */
  void answer(Exchange exchange) {
    if (!exchange.response().isCommitted()) {
      exchange.response().reset();
      if (status == HttpStatus.UNAUTHORIZED_401) {
        exchange.set("WWW-Authenticate", "Bearer");
      } else if (status == HttpStatus.SERVICE_UNAVAILABLE_503) {
        exchange.set("Retry-After", "1");
      }
    }
    exchange.refuse(status, "application/problem+json", body());
  }

  byte[] body() {
    return new JsonObject()
        .with("title", HttpStatus.getMessage(status))
        .with("status", status)
        .with("detail", detail)
        .bytes();
  }
}
