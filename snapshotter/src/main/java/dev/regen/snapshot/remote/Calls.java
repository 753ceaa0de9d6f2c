package dev.regen.snapshot.remote;

import dev.regen.runtime.Why;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscribers;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;

/** Calls to one server: bounded in time, in bytes and in number; its errors as exceptions. */
final class Calls implements AutoCloseable {
  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(10);
  private static final int ERROR_BYTES_MAX = 64 << 10;
  private static final int ERROR_CHARACTERS_MAX = 500;
  private static final int SLOWEST_BYTES_PER_SECOND = 64 << 10;

  private final URI server;
  private final HttpStore.Options options;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Semaphore free;
  private final HttpClient client;

  Calls(URI server, HttpStore.Options options) {
    boolean plain = "http".equals(server.getScheme());
    String path = server.getPath();
    if ((!plain && !"https".equals(server.getScheme()))
        || server.getHost() == null
        || server.getQuery() != null
        || !(path.isEmpty() || path.equals("/"))) {
      throw new IllegalArgumentException("a storage server is http://HOST:PORT, not " + server);
    }
    this.server = server;
    this.options = options;
    this.free = new Semaphore(options.connections());
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT_LIMIT)
            .executor(threads);
    if (options.tls() != null) {
      builder.sslContext(options.tls());
    }
    client = builder.build();
  }

  URI server() {
    return server;
  }

  /** A request to {@code path}, which begins with a slash. */
  HttpRequest.Builder to(String path) {
    HttpRequest.Builder request = HttpRequest.newBuilder(server.resolve(path));
    if (options.token() != null) {
      request.setHeader("Authorization", "Bearer " + options.token());
    }
    return request;
  }

  /** The body of an answer that is no error. */
  byte[] body(HttpRequest.Builder request, int limitBytes) throws IOException {
    return answer(request, limitBytes).body();
  }

  /** An answer that is no error. */
  HttpResponse<byte[]> answer(HttpRequest.Builder request, int limitBytes) throws IOException {
    HttpResponse<byte[]> answer = send(request.build(), limitBytes);
    if (answer.statusCode() / 100 != 2) {
      throw failure(answer);
    }
    return answer;
  }

  /** Deletes; what is not there was deleted before. */
  void deleted(HttpRequest.Builder request) throws IOException {
    HttpResponse<byte[]> answer = send(request.build(), 0);
    if (answer.statusCode() / 100 != 2 && answer.statusCode() != 404) {
      throw failure(answer);
    }
  }

  /** Whether the request's condition held. */
  boolean matched(HttpRequest.Builder request) throws IOException {
    HttpResponse<byte[]> answer = send(request.build(), 0);
    if (answer.statusCode() == 412) {
      return false;
    }
    if (answer.statusCode() / 100 != 2) {
      throw failure(answer);
    }
    return true;
  }

  IOException nonsense(String what) {
    return new IOException(server + " answers nonsense: " + what);
  }

  @Override
  public void close() {
    client.shutdownNow();
    threads.shutdownNow();
  }

  private HttpResponse<byte[]> send(HttpRequest request, int limitBytes) throws IOException {
    long bytes = limitBytes + request.bodyPublisher().map(body -> body.contentLength()).orElse(0L);
    long millis =
        options.patience().toMillis() + Math.max(0, bytes) * 1000 / SLOWEST_BYTES_PER_SECOND;
    try {
      free.acquire();
      try {
        return await(client.sendAsync(request, limited(limitBytes)), millis);
      } finally {
        free.release();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw interrupted(e);
    }
  }

  private HttpResponse<byte[]> await(CompletableFuture<HttpResponse<byte[]>> answer, long millis)
      throws IOException, InterruptedException {
    try {
      return answer.get(millis, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new IOException(server + " has not answered within " + millis + " ms", e);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new IOException(server + told(cause), cause);
    } finally {
      // Nothing if it is done; else it closes the connection.
      answer.cancel(true);
    }
  }

  private static String told(Throwable cause) {
    String why = Why.of(cause);
    return switch (cause) {
      case ConnectException _ ->
          ": " + why + (why.contains("refused") ? "; is its 'regen storage' running?" : "");
      case SSLException _ -> ": no TLS: " + why;
      case EOFException _, SocketException _ -> " broke the connection off: " + why;
      // Java's words for the same.
      default ->
          why.contains("parser received no bytes") || why.contains("EOF reached")
              ? " broke the connection off"
              : ": " + why;
    };
  }

  private static BodyHandler<byte[]> limited(int limitBytes) {
    return head ->
        BodySubscribers.limiting(
            BodySubscribers.ofByteArray(),
            head.statusCode() / 100 == 2 ? limitBytes : ERROR_BYTES_MAX);
  }

  private IOException failure(HttpResponse<byte[]> answer) {
    int status = answer.statusCode();
    String told = server + " answers " + status + told(answer.body());
    return switch (status) {
      case 404 -> new RegenException.NotFound(told);
      case 400, 413, 416 -> new RegenException.BadInput(told);
      case 401, 403, 409, 507 -> new RegenException.Refused(told);
      default -> new IOException(told);
    };
  }

  private static String told(byte[] body) {
    try {
      String detail = JsonObject.parse(body).string("detail").replaceAll("\\p{Cntrl}", " ");
      return ": " + detail.substring(0, Math.min(detail.length(), ERROR_CHARACTERS_MAX));
    } catch (IOException e) {
      return "";
    }
  }

  private static InterruptedIOException interrupted(InterruptedException cause) {
    InterruptedIOException interrupted = new InterruptedIOException("interrupted");
    interrupted.initCause(cause);
    return interrupted;
  }
}
