package dev.regen.snapshot.remote;

import dev.regen.runtime.Why;
import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Asks each server of a store by itself whether it serves, with a question of some bytes. A
 * directory is looked at and not opened: one process may open it.
 */
public final class ServerProbe implements Closeable {
  private static final Duration PATIENCE = Duration.ofSeconds(4);
  private static final int ANSWER_BYTES_MAX = 1 << 10;

  /** Nothing writes it. */
  private static final String RECORD = "probe";

  private final StoreUrl url;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Map<URI, RemoteStore> open = new HashMap<>();

  /**
   * Of one server.
   *
   * @param server its address, without credentials
   * @param took until the answer, or until nobody waited any more
   * @param why it does not serve; empty if it does
   */
  public record Answer(String server, boolean up, Duration took, String why) {}

  public ServerProbe(StoreUrl url) {
    this.url = url;
  }

  /** All of them at once; takes {@link #PATIENCE} at most. */
  public synchronized List<Answer> ask() {
    long begin = System.nanoTime();
    Map<URI, Future<Answer>> asked = new HashMap<>();
    for (URI address : url.addresses()) {
      asked.put(address, threads.submit(() -> ask(address)));
    }
    List<Answer> answers = new ArrayList<>();
    for (URI address : url.addresses()) {
      Future<Answer> answer = asked.get(address);
      long left = PATIENCE.toNanos() - (System.nanoTime() - begin);
      answers.add(answer == null ? none(address, begin, "") : await(address, answer, begin, left));
    }
    return answers;
  }

  private static Answer await(URI address, Future<Answer> answer, long begin, long leftNanos) {
    try {
      return answer.get(Math.max(1, leftNanos), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return none(address, begin, "interrupted");
    } catch (TimeoutException e) {
      answer.cancel(true);
      return none(address, begin, "no answer within " + PATIENCE.toSeconds() + " s");
    } catch (ExecutionException e) {
      return none(address, begin, Why.of(e.getCause() == null ? e : e.getCause()));
    }
  }

  private Answer ask(URI address) throws IOException {
    long begin = System.nanoTime();
    if ("dir".equals(address.getScheme())) {
      Path directory = StoreUrl.directory(address);
      if (!Files.isDirectory(directory)) {
        throw new IOException(directory + " is not there");
      }
    } else {
      // What is refused fails too: it serves others.
      var _ = store(address).record(RECORD, ANSWER_BYTES_MAX);
    }
    return new Answer(name(address), true, Duration.ofNanos(System.nanoTime() - begin), "");
  }

  private RemoteStore store(URI address) throws IOException {
    synchronized (open) {
      RemoteStore store = open.get(address);
      if (store != null) {
        return store;
      }
    }
    RemoteStore made = url.alone(address, PATIENCE);
    synchronized (open) {
      RemoteStore other = open.putIfAbsent(address, made);
      if (other == null) {
        return made;
      }
      made.close();
      return other;
    }
  }

  private static Answer none(URI address, long begin, String why) {
    return new Answer(name(address), false, Duration.ofNanos(System.nanoTime() - begin), why);
  }

  private static String name(URI address) {
    String text = address.toString();
    int at = text.lastIndexOf('@');
    return at < 0 ? text : address.getScheme() + "://" + text.substring(at + 1);
  }

  @Override
  public void close() throws IOException {
    threads.shutdownNow();
    synchronized (open) {
      for (RemoteStore store : open.values()) {
        store.close();
      }
      open.clear();
    }
  }
}
