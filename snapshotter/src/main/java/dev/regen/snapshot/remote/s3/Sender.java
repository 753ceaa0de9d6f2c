package dev.regen.snapshot.remote.s3;

import dev.regen.snapshot.remote.BodyPieces;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpFullResponse;
import software.amazon.awssdk.http.SdkHttpRequest;

/**
 * Sends packs straight from their memory: the SDK's other clients copy a body through streams, in
 * steps of 4 KiB. All else goes as it does without this.
 */
final class Sender implements SdkHttpClient {
  /** What the request that the caller makes is to send; the SDK's body has the same bytes. */
  static final ScopedValue<ByteBuffer> BODY = ScopedValue.newInstance();

  /** What the JDK's client sets itself. */
  private static final Set<String> OWN_HEADERS =
      Set.of("host", "content-length", "expect", "connection", "upgrade");

  private static final int PIECE_BYTES = 512 << 10;

  private final SdkHttpClient others;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpClient client;

  /**
   * @param others makes all other requests; closed with this
   * @param tls null for Java's own
   */
  Sender(SdkHttpClient others, Duration connectLimit, @Nullable SSLContext tls) {
    this.others = others;
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(connectLimit)
            .executor(threads);
    this.client = (tls == null ? builder : builder.sslContext(tls)).build();
  }

  @Override
  public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
    return BODY.isBound()
        ? new Sending(request.httpRequest(), BODY.get())
        : others.prepareRequest(request);
  }

  @Override
  public String clientName() {
    return others.clientName();
  }

  @Override
  public void close() {
    others.close();
    client.shutdownNow();
    threads.shutdownNow();
  }

  /** One request; its end is up to the caller, who interrupts the thread that waits for it. */
  private final class Sending implements ExecutableHttpRequest {
    private final SdkHttpRequest request;
    private final ByteBuffer body;

    Sending(SdkHttpRequest request, ByteBuffer body) {
      this.request = request;
      this.body = body;
    }

    @Override
    public HttpExecuteResponse call() throws IOException {
      HttpRequest.Builder sent =
          HttpRequest.newBuilder(request.getUri())
              .method(request.method().name(), BodyPieces.of(body, PIECE_BYTES));
      request.forEachHeader((name, values) -> {
        if (!OWN_HEADERS.contains(name.toLowerCase(Locale.ROOT))) {
          values.forEach(value -> sent.header(name, value));
        }
      });
      try {
        return answer(client.send(sent.build(), BodyHandlers.ofInputStream()));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        InterruptedIOException interrupted = new InterruptedIOException("interrupted");
        interrupted.initCause(e);
        throw interrupted;
      }
    }

    @Override
    public void abort() {
      // Nobody but the thread that waits could call this.
    }
  }

  private static HttpExecuteResponse answer(HttpResponse<InputStream> answer) {
    SdkHttpFullResponse.Builder told = SdkHttpFullResponse.builder();
    told.statusCode(answer.statusCode()).headers(answer.headers().map());
    InputStream body = answer.body();
    return HttpExecuteResponse.builder()
        .response(told.build())
        .responseBody(AbortableInputStream.create(body, () -> close(body)))
        .build();
  }

  private static void close(InputStream body) {
    try {
      body.close();
    } catch (IOException e) {
      // It is not wanted any more.
    }
  }
}
