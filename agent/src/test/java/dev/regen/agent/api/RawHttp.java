package dev.regen.agent.api;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** A connection on which a test says what no client would. */
public final class RawHttp implements Closeable {
  private static final Pattern LENGTH = Pattern.compile("(?i)content-length: *([0-9]+)");

  private final Closeable connection;
  private final InputStream in;
  private final OutputStream out;

  private RawHttp(Closeable connection, InputStream in, OutputStream out) {
    this.connection = connection;
    this.in = new BufferedInputStream(in);
    this.out = out;
  }

  public static RawHttp unix(Path socket) throws IOException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(socket));
    return new RawHttp(
        channel, Channels.newInputStream(channel), Channels.newOutputStream(channel));
  }

  /** With a null {@code tls}, plain HTTP. */
  public static RawHttp tcp(URI server, @Nullable SSLContext tls) throws IOException {
    Socket socket = tls == null ? new Socket() : tls.getSocketFactory().createSocket();
    socket.connect(new InetSocketAddress(server.getHost(), server.getPort()));
    socket.setSoTimeout(60_000);
    return new RawHttp(socket, socket.getInputStream(), socket.getOutputStream());
  }

  public RawHttp say(String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.ISO_8859_1));
    out.flush();
    return this;
  }

  /** A whole request; headers each end with CR LF. */
  public RawHttp ask(String method, String path, String headers, String body) throws IOException {
    return say(
        method
            + " "
            + path
            + " HTTP/1.1\r\nHost: r\r\n"
            + headers
            + (body.isEmpty() ? "" : "Content-Length: " + body.length() + "\r\n")
            + "\r\n"
            + body);
  }

  /** Reads until what was read holds {@code text}, and returns all of it. */
  public String until(String text) throws IOException {
    StringBuilder read = new StringBuilder();
    int length = text.length();
    while (read.length() < length || !read.substring(read.length() - length).equals(text)) {
      int one = in.read();
      if (one < 0) {
        throw new IOException("it ended before '" + text + "': " + read);
      }
      read.append((char) one);
    }
    return read.toString();
  }

  /** An answer with a length, as a whole; or what there is of another until the end. */
  public String answer() {
    ByteArrayOutputStream read = new ByteArrayOutputStream();
    try {
      for (int one = in.read(); one >= 0; one = in.read()) {
        read.write(one);
        if (one == '}' || one == '\n') {
          String text = read.toString(StandardCharsets.ISO_8859_1);
          int head = text.indexOf("\r\n\r\n");
          Matcher length = LENGTH.matcher(text);
          if (head >= 0
              && length.find()
              && length.start() < head
              && text.length() >= head + 4 + Integer.parseInt(length.group(1))) {
            return text;
          }
        }
      }
    } catch (IOException e) {
      // Broken off, as some tests want it.
    }
    return read.toString(StandardCharsets.ISO_8859_1);
  }

  /** Whether the other end has closed, once all that it said is read. */
  public boolean ended() {
    byte[] some = new byte[64 << 10];
    try {
      int read = in.read(some);
      while (read >= 0) {
        read = in.read(some);
      }
    } catch (IOException e) {
      return true;
    }
    return true;
  }

  @Override
  public void close() throws IOException {
    connection.close();
  }
}
