package dev.regen.snapshot.remote;

import dev.regen.runtime.Why;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** The stores of a {@link ShardedStore}: in which order to ask them, or all at once. */
final class Members implements Closeable {
  private final Placement placement;
  private final List<Member> all = new ArrayList<>();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  Members(Placement placement, List<RemoteStore> stores) {
    if (stores.size() != placement.servers().size()) {
      throw new IllegalArgumentException("as many stores as servers");
    }
    this.placement = placement;
    for (int i = 0; i < stores.size(); i++) {
      all.add(new Member(placement.servers().get(i), stores.get(i)));
    }
  }

  List<Member> all() {
    return all;
  }

  /** Those that should have a chunk first, those that are away last. */
  List<Member> order(Digest digest) {
    List<Member> order = new ArrayList<>();
    List<Member> away = new ArrayList<>();
    for (int i : placement.order(digest)) {
      Member member = all.get(i);
      (member.isAway() ? away : order).add(member);
    }
    order.addAll(away);
    return order;
  }

  /** Those that should have a chunk. */
  List<Member> copies(Digest digest) {
    return placement.copies(digest).stream().map(all::get).toList();
  }

  /** Answers of all that gave one, and why the others gave none. */
  record Answers<T>(Map<Member, T> given, Map<Member, IOException> failed) {
    /**
     * @throws IOException what one of them failed with, if nobody answered or more failed than
     *     {@code most}
     */
    Answers<T> orFailIfMoreThan(int most) throws IOException {
      if (given.isEmpty() || failed.size() > most) {
        throw failure(List.copyOf(failed.values()));
      }
      return this;
    }
  }

  /** Asks all at once, and waits for each. */
  <T> Answers<T> askAll(Member.Question<T> question) throws IOException {
    Map<Member, Future<T>> asked = new LinkedHashMap<>();
    for (Member member : all) {
      asked.put(member, threads.submit(() -> member.ask(question)));
    }
    Map<Member, T> given = new LinkedHashMap<>();
    Map<Member, IOException> failed = new LinkedHashMap<>();
    try {
      for (Map.Entry<Member, Future<T>> one : asked.entrySet()) {
        await(one.getKey(), one.getValue(), given, failed);
      }
    } finally {
      asked.values().forEach(future -> future.cancel(true));
    }
    return new Answers<>(given, failed);
  }

  /**
   * What several failures are together: if all said no in the same way that, for then nothing is
   * gained by asking again; else a failure of the network.
   */
  static IOException failure(List<IOException> failures) {
    List<String> said = new ArrayList<>();
    Set<Class<?>> kinds = new HashSet<>();
    for (IOException failure : failures) {
      said.add(Why.of(failure));
      kinds.add(failure.getClass());
    }
    String message = String.join("; ", said);
    IOException together =
        kinds.size() > 1 || failures.isEmpty()
            ? new IOException(message)
            : switch (failures.getFirst()) {
              case RegenException.Refused _ -> new RegenException.Refused(message);
              case RegenException.BadInput _ -> new RegenException.BadInput(message);
              case RegenException.NotFound _ -> new RegenException.NotFound(message);
              default -> new IOException(message);
            };
    failures.forEach(together::addSuppressed);
    return together;
  }

  @Override
  public void close() throws IOException {
    threads.shutdownNow();
    List<IOException> failures = new ArrayList<>();
    for (Member member : all) {
      try {
        member.store().close();
      } catch (IOException e) {
        failures.add(e);
      }
    }
    if (!failures.isEmpty()) {
      throw failure(failures);
    }
  }

  private static <T> void await(
      Member member, Future<T> asked, Map<Member, T> given, Map<Member, IOException> failed)
      throws IOException {
    try {
      given.put(member, asked.get());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    } catch (ExecutionException e) {
      Throwable cause = Objects.requireNonNull(e.getCause());
      if (!(cause instanceof IOException failure)) {
        throw new IllegalStateException(cause);
      }
      failed.put(member, failure);
    }
  }
}
