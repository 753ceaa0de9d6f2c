package dev.regen.agent;

import dev.regen.runtime.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/**
 * Answers some paths of the engine's API with an object and a line's end, and all others with 404.
 */
final class SmallEngine implements AutoCloseable {
  private final ServerSocketChannel server;
  private final Map<String, JsonObject> answers;

  SmallEngine(Path socket, Map<String, JsonObject> answers) throws IOException {
    this.answers = answers;
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    Thread.ofPlatform().name("small-engine").daemon().start(this::serve);
  }

  private void serve() {
    while (server.isOpen()) {
      try (SocketChannel connection = server.accept()) {
        answer(connection);
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException e) {
        // The agent has gone away in the middle; the next connection is as good.
      }
    }
  }

  private void answer(SocketChannel connection) throws IOException {
    BufferedReader head =
        new BufferedReader(
            new InputStreamReader(
                Channels.newInputStream(connection), StandardCharsets.ISO_8859_1));
    String request = head.readLine();
    if (request == null) {
      return;
    }
    for (String line = head.readLine(); line != null && !line.isEmpty(); line = head.readLine()) {
      // Nothing in the headers matters.
    }
    String path =
        request.split(" ", 3)[1].replaceFirst("^/v[0-9.]+/", "/").replaceFirst("[?].*", "");
    JsonObject known =
        path.equals("/version") ? new JsonObject().with("ApiVersion", "1.41") : answers.get(path);
    JsonObject body = known == null ? new JsonObject().with("message", "no such thing") : known;
    String answer =
        "HTTP/1.1 "
            + (known == null ? "404 Not Found" : "200 OK")
            + "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
            + (body.bytes().length + 1)
            + "\r\n\r\n"
            + body
            + "\n";
    ByteBuffer bytes = ByteBuffer.wrap(answer.getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      connection.write(bytes);
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
