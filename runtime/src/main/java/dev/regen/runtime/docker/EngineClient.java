package dev.regen.runtime.docker;

import com.github.dockerjava.transport.DockerHttpClient;
import com.github.dockerjava.transport.DockerHttpClient.Request;
import com.github.dockerjava.transport.DockerHttpClient.Response;
import com.github.dockerjava.zerodep.ZerodepDockerHttpClient;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Requests to the engine and their answers, pinned to the API version that the engine speaks. */
final class EngineClient implements AutoCloseable {
  private static final int ANSWER_BYTES_MAX = 32 << 20;
  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(5);

  private final DockerHttpClient transport;
  private final URI host;
  private volatile @Nullable String version;

  /**
   * @param answerLimit how long the engine may be silent within one answer; zero for ever
   */
  EngineClient(URI host, Duration answerLimit) {
    this.host = host;
    ZerodepDockerHttpClient.Builder builder =
        new ZerodepDockerHttpClient.Builder()
            .dockerHost(host)
            .maxConnections(16)
            .connectionTimeout(CONNECT_LIMIT);
    if (!answerLimit.isZero()) {
      builder.responseTimeout(answerLimit);
    }
    transport = builder.build();
  }

  /** The whole answer, an empty object where the engine answers nothing. */
  JsonObject call(Request.Method method, String path, @Nullable JsonObject body)
      throws EngineException {
    String pinned = "/v" + version() + path;
    try (Response response = send(method, pinned, body)) {
      byte[] answer = read(response);
      refuseErrors(response.getStatusCode(), answer, path);
      return answer.length == 0 || response.getStatusCode() == 204 || answer[0] != '{'
          ? new JsonObject()
          : JsonObject.parse(answer);
    } catch (EngineException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      throw away(e);
    }
  }

  /** The objects of an array that the engine answers. */
  List<JsonObject> list(String path) throws EngineException {
    String pinned = "/v" + version() + path;
    try (Response response = send(Request.Method.GET, pinned, null)) {
      byte[] answer = read(response);
      refuseErrors(response.getStatusCode(), answer, path);
      String array = new String(answer, StandardCharsets.UTF_8);
      return JsonObject.parse("{\"all\":" + array + "}").objects("all");
    } catch (EngineException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      throw away(e);
    }
  }

  /**
   * Gives the engine a stream, which it reads to its end.
   *
   * @return what it says of it: JSON objects, one a line
   */
  byte[] upload(String path, InputStream body) throws EngineException {
    String pinned = "/v" + version() + path;
    Request.Builder request = Request.builder().method(Request.Method.POST);
    request.path(pinned);
    request.putAllHeaders(Map.of("Content-Type", "application/x-tar"));
    request.body(body);
    try (Response response = execute(request.build())) {
      byte[] answer = read(response);
      refuseErrors(response.getStatusCode(), answer, path);
      return answer;
    } catch (EngineException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      throw away(e);
    }
  }

  /** An answer without an end, to be closed by the caller. */
  Response stream(String path) throws EngineException {
    Response response = send(Request.Method.GET, "/v" + version() + path, null);
    if (response.getStatusCode() != 200) {
      try (response) {
        refuseErrors(response.getStatusCode(), read(response), path);
      } catch (EngineException e) {
        throw e;
      } catch (IOException | RuntimeException e) {
        throw away(e);
      }
    }
    return response;
  }

  /** The engine's newest API version; asked once, and again after the engine was away. */
  String version() throws EngineException {
    String known = version;
    if (known != null) {
      return known;
    }
    try (Response response = send(Request.Method.GET, "/version", null)) {
      byte[] answer = read(response);
      refuseErrors(response.getStatusCode(), answer, "/version");
      String found = JsonObject.parse(answer).string("ApiVersion");
      if (!found.matches("[0-9]{1,3}\\.[0-9]{1,3}")) {
        throw new IOException("the engine names no API version");
      }
      version = found;
      return found;
    } catch (EngineException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      throw away(e);
    }
  }

  @Override
  public void close() throws IOException {
    transport.close();
  }

  private Response send(Request.Method method, String path, @Nullable JsonObject body)
      throws EngineException {
    Request.Builder request = Request.builder().method(method);
    request.path(path);
    if (body != null) {
      request.putAllHeaders(Map.of("Content-Type", "application/json"));
      request.bodyBytes(body.bytes());
    }
    return execute(request.build());
  }

  private Response execute(Request request) throws EngineException {
    if (SocketActivation.OF_THIS_HOST.wouldStart(host)) {
      version = null;
      throw new EngineException.Away(
          "the engine on " + host + " does not run; start it: systemctl start docker");
    }
    try {
      return transport.execute(request);
    } catch (RuntimeException e) {
      throw away(e);
    }
  }

  private EngineException.Away away(Exception cause) {
    version = null;
    Throwable root = cause;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return new EngineException.Away(
        "the engine on " + host + " does not answer: " + root.getMessage(), cause);
  }

  private static byte[] read(Response response) throws IOException {
    InputStream body = response.getBody();
    byte[] answer = body.readNBytes(ANSWER_BYTES_MAX + 1);
    if (answer.length > ANSWER_BYTES_MAX) {
      throw new IOException("the engine's answer is longer than " + ANSWER_BYTES_MAX + " bytes");
    }
    return answer;
  }

  private static void refuseErrors(int status, byte[] answer, String path) throws IOException {
    if (status < 400) {
      return;
    }
    String message = new String(answer, StandardCharsets.UTF_8).strip();
    if (message.startsWith("{")) {
      String told = JsonObject.parse(answer).stringOrNull("message");
      message = told == null ? message : told;
    }
    throw new EngineException.Refused(
        status, message.isEmpty() ? "the engine answered " + status + " to " + path : message);
  }
}
