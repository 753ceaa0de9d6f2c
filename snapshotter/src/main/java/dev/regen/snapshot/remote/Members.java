package dev.regen.snapshot.remote;

import dev.regen.runtime.Why;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
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
final class Members implements Closeable, Load {
  /**
   * A server with so much more under way than another leaves a chunk that is put to that one:
   * enough that each has something to do, little enough that few chunks lie elsewhere.
   */
  private static final long LONGER_BYTES = 8 << 20;

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

  Placement placement() {
    return placement;
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

  /**
   * As {@link #order}, for who puts a chunk there: those with much more under way than another come
   * after all that have less to do. So what is put waits for none of them while another has nothing
   * to do.
   */
  List<Member> writing(Digest digest) {
    List<Member> order = order(digest);
    List<Member> taking = order.stream().filter(Member::isTaking).toList();
    long least = taking.stream().mapToLong(Member::bytesUnderWay).min().orElse(0);
    List<Member> soon = new ArrayList<>();
    List<Member> late = new ArrayList<>();
    for (Member member : taking) {
      (member.bytesUnderWay() - least > LONGER_BYTES ? late : soon).add(member);
    }
    soon.addAll(late);
    Iterator<Member> next = soon.iterator();
    // Who is away, full or to go keeps his place: he is no place for another's share.
    order.replaceAll(member -> taking.contains(member) ? next.next() : member);
    return order;
  }

  /**
   * As {@link #order}, for who wants one copy: of those that should have it those first that have
   * time for it.
   */
  List<Member> reading(Digest digest) {
    List<Member> order = order(digest);
    List<Member> copies = new ArrayList<>(copies(digest));
    copies.removeIf(Member::isAway);
    order.removeAll(copies);
    copies.sort(Comparator.comparing(Member::isBusy));
    order.addAll(0, copies);
    return order;
  }

  @Override
  public List<Integer> servers(Digest digest, Way way) {
    if (way == Way.GET) {
      return List.of(all.indexOf(reading(digest).getFirst()));
    }
    List<Integer> servers = new ArrayList<>(placement.copies(digest));
    servers.removeIf(server -> all.get(server).isAway());
    return servers.isEmpty() ? List.of(all.indexOf(order(digest).getFirst())) : servers;
  }

  @Override
  public int bears(int server, int bytes) {
    return all.get(server).store().load().bears(0, bytes);
  }

  @Override
  public List<Served> served() {
    return all.stream().flatMap(member -> member.store().load().served().stream()).toList();
  }

  /** Those that should have a chunk. */
  List<Member> copies(Digest digest) {
    return placement.copies(digest).stream().map(all::get).toList();
  }

  /** Answers of all that gave one, and why the others gave none. */
  record Answers<T>(Map<Member, T> given, Map<Member, IOException> failed) {
    /**
     * @throws IOException what they failed with, if nobody answered or more failed than {@code
     *     most}
     */
    Answers<T> orFailIfMoreThan(int most) throws IOException {
      if (given.isEmpty() || failed.size() > most) {
        throw failure(List.copyOf(failed.values()));
      }
      return this;
    }
  }

  /**
   * Asks all at once, and waits for each. Those that are away are not asked where that many may be
   * silent: each would be waited for.
   *
   * @param most how many need not answer
   * @throws IOException what they failed with, if nobody answered or more than that did not
   */
  <T> Answers<T> askAll(int most, Member.Question<T> question) throws IOException {
    List<Member> away = all.stream().filter(Member::isAway).toList();
    boolean without = away.size() <= most && away.size() < all.size();
    return ask(without ? away : List.of(), question).orFailIfMoreThan(most);
  }

  /** Asks all at once, also those that are away, and waits for each. */
  <T> Answers<T> askEach(Member.Question<T> question) throws IOException {
    return ask(List.of(), question);
  }

  private <T> Answers<T> ask(List<Member> without, Member.Question<T> question) throws IOException {
    Map<Member, Future<T>> asked = new LinkedHashMap<>();
    Map<Member, T> given = new LinkedHashMap<>();
    Map<Member, IOException> failed = new LinkedHashMap<>();
    for (Member member : all) {
      if (without.contains(member)) {
        failed.put(member, new IOException(member.lastFailure()));
      } else {
        asked.put(member, threads.submit(() -> member.ask(question)));
      }
    }
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
              case RegenException.Damaged _ -> new RegenException.Damaged(message);
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
