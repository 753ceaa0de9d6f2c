package dev.regen.snapshot.remote;

import dev.regen.runtime.Why;
import dev.regen.runtime.durable.DiskFullException;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.RegenException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import javax.net.ssl.SSLException;

/**
 * Calls to one server: bounded in time, in bytes and, by what it bears, in number; its errors as
 * exceptions.
 */
final class Calls implements AutoCloseable {
  /**
   * A third of the patience with a server is left to reach it: a first packet may be lost twice.
   */
  private static final int CONNECT_PART = 3;

  /** Java's words where a certificate is. */
  private static final String UNTRUSTED = "unable to find valid certification path";

  /** Java's words where a limit of bytes is passed. */
  private static final String TOO_LONG = "body exceeds capacity";

  private static final int ERROR_BYTES_MAX = 64 << 10;
  private static final int ERROR_CHARACTERS_MAX = 500;
  private static final int SLOWEST_BYTES_PER_SECOND = 64 << 10;

  /** Whoever says this has too much to do. */
  private static final Set<Integer> OVERLOADED = Set.of(429, 502, 503, 504);

  private final URI server;
  private final HttpStore.Options options;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Pace pace;
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
    this.pace = new Pace(options.connections());
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(options.patience().dividedBy(CONNECT_PART))
            .executor(threads);
    if (options.tls() != null) {
      builder.sslContext(options.tls());
    }
    client = builder.build();
  }

  URI server() {
    return server;
  }

  Pace pace() {
    return pace;
  }

  /** A request to {@code path}, which begins with a slash. */
  HttpRequest.Builder to(String path) {
    HttpRequest.Builder request = HttpRequest.newBuilder(server.resolve(path));
    if (options.token() != null) {
      request.setHeader("Authorization", "Bearer " + options.token());
    }
    return request;
  }

  /** Calls of several threads that go together. */
  <T, R> Gathering<T, R> gathering(int mostItems, long mostBytes, Gathering.Call<T, R> call) {
    return new Gathering<>(threads, pace, mostItems, mostBytes, call);
  }

  /** The body of an answer that is no error. */
  byte[] body(HttpRequest.Builder request, int limitBytes) throws IOException {
    return answer(request, limitBytes).body();
  }

  /** As above, by a turn that was taken before. */
  byte[] body(HttpRequest.Builder request, int limitBytes, Pace.Turn turn) throws IOException {
    try {
      return good(send(request.build(), limitBytes, collected(limitBytes), turn)).body();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw interrupted(e);
    }
  }

  /** As above, into memory of the caller's. */
  void body(HttpRequest.Builder request, Landing landing, Pace.Turn turn) throws IOException {
    try {
      good(send(request.build(), landing.limitBytes(), landing::receiver, turn));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw interrupted(e);
    }
  }

  /** An answer that is no error. */
  HttpResponse<byte[]> answer(HttpRequest.Builder request, int limitBytes) throws IOException {
    return good(send(request.build(), limitBytes));
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
    try {
      return send(request, limitBytes, collected(limitBytes), pace.begin());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw interrupted(e);
    }
  }

  private HttpResponse<byte[]> send(
      HttpRequest request, int limitBytes, Supplier<BodySubscriber<byte[]>> reader, Pace.Turn turn)
      throws IOException, InterruptedException {
    long sent = Math.max(0, request.bodyPublisher().map(body -> body.contentLength()).orElse(0L));
    Duration limit =
        options.patience().plusMillis((limitBytes + sent) * 1000 / SLOWEST_BYTES_PER_SECOND);
    Movement movement = new Movement();
    boolean told = false;
    try {
      HttpResponse<byte[]> answer =
          await(
              client.sendAsync(movement.watched(request), movement.watched(orError(reader))),
              movement,
              limit);
      told = true;
      if (OVERLOADED.contains(answer.statusCode())) {
        pace.overloaded(turn);
      } else {
        pace.answered(turn, sent + movement.arrivedBytes());
      }
      return answer;
    } catch (TimedOut e) {
      told = true;
      pace.overloaded(turn);
      throw e;
    } finally {
      if (!told) {
        pace.failed();
      }
    }
  }

  private HttpResponse<byte[]> await(
      CompletableFuture<HttpResponse<byte[]>> answer, Movement movement, Duration limit)
      throws IOException, InterruptedException {
    long begun = System.nanoTime();
    try {
      while (true) {
        long quiet = System.nanoTime() - movement.lastNanos();
        long left =
            Math.min(
                options.patience().toNanos() - quiet,
                limit.toNanos() - (System.nanoTime() - begun));
        try {
          return answer.get(Math.max(0, left), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
          if (System.nanoTime() - begun >= limit.toNanos()) {
            throw late(limit, e);
          }
          if (System.nanoTime() - movement.lastNanos() >= options.patience().toNanos()) {
            throw late(options.patience(), e);
          }
        }
      }
    } catch (ExecutionException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      if (cause instanceof HttpConnectTimeoutException) {
        throw late(options.patience().dividedBy(CONNECT_PART), e);
      }
      if (String.valueOf(cause.getMessage()).startsWith(TOO_LONG)) {
        throw new RegenException.Damaged(server + " answers with more bytes than there may be");
      }
      throw new IOException(server + told(cause), cause);
    } finally {
      // Nothing if it is done; else it closes the connection.
      answer.cancel(true);
    }
  }

  private TimedOut late(Duration limit, Exception cause) {
    return new TimedOut(server + " has not answered within " + limit.toMillis() + " ms", cause);
  }

  private static String told(Throwable cause) {
    String why = Why.of(cause);
    return switch (cause) {
      case ConnectException _ ->
          ": " + why + (why.contains("refused") ? "; is its 'regen storage' running?" : "");
      case SSLException _ when why.contains(UNTRUSTED) ->
          ": no TLS: its certificate is signed by nobody who is trusted here; ca-file names who is";
      case SSLException _ -> ": no TLS: " + why;
      case EOFException _, SocketException _ -> " broke the connection off: " + why;
      // Java's words for the same.
      default ->
          why.contains("parser received no bytes") || why.contains("EOF reached")
              ? " broke the connection off"
              : ": " + why;
    };
  }

  private static Supplier<BodySubscriber<byte[]>> collected(int limitBytes) {
    return () -> BodySubscribers.limiting(BodySubscribers.ofByteArray(), limitBytes);
  }

  private static BodyHandler<byte[]> orError(Supplier<BodySubscriber<byte[]>> reader) {
    Supplier<BodySubscriber<byte[]>> error = collected(ERROR_BYTES_MAX);
    return head -> head.statusCode() / 100 == 2 ? reader.get() : error.get();
  }

  private HttpResponse<byte[]> good(HttpResponse<byte[]> answer) throws IOException {
    if (answer.statusCode() / 100 != 2) {
      throw failure(answer);
    }
    return answer;
  }

  private IOException failure(HttpResponse<byte[]> answer) {
    return failure(answer.statusCode(), told(answer.body()));
  }

  /**
   * What an error of the server is here.
   *
   * @param detail what it said; empty if nothing
   */
  IOException failure(int status, String detail) {
    String words = detail.replaceAll("\\p{Cntrl}", " ");
    String told =
        server
            + " answers "
            + status
            + (words.isEmpty() ? "" : ": ")
            + words.substring(0, Math.min(words.length(), ERROR_CHARACTERS_MAX));
    return switch (status) {
      case 404 -> new RegenException.NotFound(told);
      case 400, 413, 416 -> new RegenException.BadInput(told);
      case 401, 403, 409 -> new RegenException.Refused(told);
      case 507 -> {
        // Named as the reason, which tells a full store from what else is refused.
        IOException refused = new RegenException.Refused(told);
        refused.initCause(new DiskFullException(Path.of(server.toString()), new IOException(told)));
        yield refused;
      }
      default -> new IOException(told);
    };
  }

  private static String told(byte[] body) {
    try {
      return JsonObject.parse(body).string("detail");
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
