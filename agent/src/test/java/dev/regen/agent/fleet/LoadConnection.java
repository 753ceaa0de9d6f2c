package dev.regen.agent.fleet;

import dev.regen.runtime.json.JsonObject;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** One connection of HTTP/1.1 that is kept, and made anew after a failure; cheap for thousands. */
final class LoadConnection implements AutoCloseable {
  private static final int SILENCE_MILLIS = 30_000;

  private final URI manager;
  private final String token;
  private @Nullable Socket socket;
  private @Nullable InputStream in;

  LoadConnection(URI manager, String token) {
    this.manager = manager;
    this.token = token;
  }

  /** What was answered with 200 or 202; anything else is a failure. */
  synchronized JsonObject send(String method, String path, String body, String headers)
      throws IOException {
    try {
      InputStream from = request(method, path, body, headers);
      String status = line(from);
      int length = 0;
      for (String line = line(from); !line.isEmpty(); line = line(from)) {
        if (line.regionMatches(true, 0, "content-length:", 0, 15)) {
          length = Integer.parseInt(line.substring(15).strip());
        }
      }
      String answer = new String(from.readNBytes(length), StandardCharsets.UTF_8);
      if (!status.startsWith("HTTP/1.1 20")) {
        throw new IOException(status + " " + answer);
      }
      return JsonObject.parse(answer);
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  /** Opens a stream of events; its lines follow. */
  synchronized InputStream stream(String path, String headers) throws IOException {
    InputStream from = request("GET", path, "", headers);
    String status = line(from);
    if (!status.startsWith("HTTP/1.1 200")) {
      throw new IOException(status);
    }
    return from;
  }

  /** A line without its end. */
  static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int read = in.read(); read != '\n'; read = in.read()) {
      if (read < 0) {
        throw new IOException("the connection ended");
      }
      if (read != '\r') {
        line.append((char) read);
      }
    }
    return line.toString();
  }

  @Override
  public void close() throws IOException {
    Socket open = socket;
    socket = null;
    if (open != null) {
      open.close();
    }
  }

  private InputStream request(String method, String path, String body, String headers)
      throws IOException {
    Socket open = socket;
    InputStream from = in;
    if (open == null || from == null) {
      open = new Socket(manager.getHost(), manager.getPort());
      open.setSoTimeout(SILENCE_MILLIS);
      open.setTcpNoDelay(true);
      from = new BufferedInputStream(open.getInputStream(), 2048);
      socket = open;
      in = from;
    }
    byte[] content = body.getBytes(StandardCharsets.UTF_8);
    String head =
        method
            + " "
            + path
            + " HTTP/1.1\r\nHost: m\r\nAuthorization: Bearer "
            + token
            + "\r\nContent-Length: "
            + content.length
            + "\r\n"
            + headers
            + "\r\n";
    byte[] first = head.getBytes(StandardCharsets.US_ASCII);
    byte[] all = java.util.Arrays.copyOf(first, first.length + content.length);
    System.arraycopy(content, 0, all, first.length, content.length);
    open.getOutputStream().write(all);
    return from;
  }
}
