package dev.regen.agent.storage;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Stands before a storage server, one request a connection, and behaves as it is told to. */
public final class TroubledProxy implements AutoCloseable {
  /** What becomes of requests. */
  public enum Trouble {
    NONE,
    /** The answer's head comes, and then nothing. */
    HANGS_AFTER_THE_HEADERS,
    /** Half of the answer comes, then the end of the connection. */
    CLOSES_IN_THE_MIDDLE,
    /** A byte of each long answer is another. */
    WRONG_BYTES,
    /** 500 to all. */
    FAILS,
    /** 503 to each second one. */
    TOO_MUCH_TO_DO,
    /** Nothing is missing, whatever was asked. */
    LIES
  }

  /** A record or the status is shorter. */
  private static final int LONG_BYTES = 100_000;

  private static final int BODY_BYTES_MAX = 16 << 20;

  private final ServerSocket listening = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final URI target;
  private volatile Trouble trouble = Trouble.NONE;
  private int underWay;
  private int underWayMost;
  private long requests;

  public TroubledProxy(URI target) throws IOException {
    this.target = target;
    threads.execute(this::accept);
  }

  public URI uri() {
    return URI.create("http://127.0.0.1:" + listening.getLocalPort());
  }

  public void behave(Trouble now) {
    trouble = now;
  }

  /** The most requests at once since it was asked last. */
  public synchronized int underWayMost() {
    int most = underWayMost;
    underWayMost = underWay;
    return most;
  }

  @Override
  public void close() throws IOException {
    listening.close();
    threads.shutdownNow();
  }

  private void accept() {
    while (!listening.isClosed()) {
      try {
        Socket client = listening.accept();
        threads.execute(() -> serve(client));
      } catch (IOException e) {
        // Closed.
      }
    }
  }

  private synchronized long begun() {
    underWay++;
    underWayMost = Math.max(underWayMost, underWay);
    return ++requests;
  }

  private synchronized void ended() {
    underWay--;
  }

  private void serve(Socket client) {
    try (client) {
      byte[] head = head(client.getInputStream());
      String text = new String(head, StandardCharsets.US_ASCII);
      byte[] body = client.getInputStream().readNBytes(length(text));
      long number = begun();
      try {
        answer(client, text, body, number);
      } finally {
        ended();
      }
    } catch (IOException e) {
      // One of them went away.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void answer(Socket client, String head, byte[] body, long number)
      throws IOException, InterruptedException {
    OutputStream out = client.getOutputStream();
    Trouble now = trouble;
    if (now == Trouble.FAILS) {
      out.write(head("500 Internal Server Error"));
    } else if (now == Trouble.TOO_MUCH_TO_DO && number % 2 == 0) {
      out.write(head("503 Service Unavailable"));
    } else if (now == Trouble.LIES && head.startsWith("POST /v1/missing")) {
      out.write(head("200 OK"));
    } else {
      byte[] answer = asked(head, body);
      int end = new String(answer, StandardCharsets.ISO_8859_1).indexOf("\r\n\r\n") + 4;
      if (now == Trouble.WRONG_BYTES && answer.length > LONG_BYTES) {
        answer[answer.length - 100] ^= 1;
      }
      int length =
          switch (now) {
            case HANGS_AFTER_THE_HEADERS -> end;
            case CLOSES_IN_THE_MIDDLE -> answer.length / 2;
            default -> answer.length;
          };
      out.write(answer, 0, length);
      out.flush();
      if (now == Trouble.HANGS_AFTER_THE_HEADERS) {
        Thread.sleep(60_000);
      }
    }
  }

  private byte[] asked(String head, byte[] body) throws IOException {
    try (Socket server = new Socket(target.getHost(), target.getPort())) {
      OutputStream out = server.getOutputStream();
      String once = head.replaceFirst("\r\n", "\r\nConnection: close\r\n");
      out.write(once.getBytes(StandardCharsets.US_ASCII));
      out.write(body);
      out.flush();
      return server.getInputStream().readAllBytes();
    }
  }

  private static byte[] head(String status) {
    return ("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] head(InputStream in) throws IOException {
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int next = in.read();
      if (next < 0 || head.length() > LONG_BYTES) {
        throw new IOException("no request");
      }
      head.append((char) next);
    }
    return head.toString().getBytes(StandardCharsets.US_ASCII);
  }

  private static int length(String head) {
    for (String line : head.lines().toList()) {
      if (line.toLowerCase(java.util.Locale.ROOT).startsWith("content-length:")) {
        return Math.min(BODY_BYTES_MAX, Integer.parseInt(line.substring(15).strip()));
      }
    }
    return 0;
  }
}
