package dev.regen.snapshot.remote;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Several stores as one: each chunk and each record lies on as many as {@link Placement} wants
 * copies of it.
 *
 * <p>A store that does not answer, refuses or has damage is passed over: a put goes to the next one
 * in the chunk's order, of a failure domain that has no copy yet, and a get comes from the next
 * one. So does a put of which the store has far more under way than another ({@link
 * Members#writing}). A put has failed only if no store took it; fewer copies than wanted are
 * counted in {@link #troubles}, and named by {@link #missing} of the next that opens the stores, if
 * they answer. Copies count wherever they lie, so stores may be added to a list, in any order.
 *
 * <p>What asks for names ({@link #list}, {@link #records}, {@link #record}) fails where more stores
 * do not answer than there are copies to spare: it would not know what it does not see.
 *
 * <p>A record that is replaced while one of its stores is away is old there when that is back:
 * names that are used once avoid this. Of writers of a record at one moment one wins as long as the
 * same stores answer all of them.
 */
public final class ShardedStore implements RemoteStore {
  private final Members members;
  private final int replicas;

  /** Who has a copy of what has too few, as of the last question. */
  private final Map<Digest, List<Member>> holders = new ConcurrentHashMap<>();

  private final Set<Digest> shortOfCopies = ConcurrentHashMap.newKeySet();

  /**
   * @param stores one for each server of {@code placement}, in that order; closed with this one
   */
  public ShardedStore(Placement placement, List<RemoteStore> stores) {
    this.members = new Members(placement, stores);
    this.replicas = placement.replicas();
  }

  /**
   * Looks whether two of the stores are one and the same: a chunk's copies would be one.
   *
   * @throws RegenException.Refused if so
   * @throws IOException if none answers
   */
  public void requireDistinct() throws IOException {
    Map<String, Member> seen = new HashMap<>();
    Map<Member, String> ids = members.askAll(all(), RemoteStore::id).given();
    for (Map.Entry<Member, String> one : ids.entrySet()) {
      Member other = seen.put(one.getValue(), one.getKey());
      if (other != null) {
        throw new RegenException.Refused(
            other.server().id()
                + " and "
                + one.getKey().server().id()
                + " are one and the same store; name it once");
      }
    }
  }

  /** Depends on the stores that answer. */
  @Override
  public String id() throws IOException {
    Collection<String> ids = new TreeSet<>(members.askAll(all(), RemoteStore::id).given().values());
    return key(String.join(" ", ids)).hex().substring(0, 32);
  }

  @Override
  public List<String> troubles() {
    List<String> troubles = new ArrayList<>();
    for (Member member : members.all()) {
      String failure = member.lastFailure();
      if (failure != null) {
        troubles.add("passed over: " + failure);
      }
      if (member.healedChunks() > 0) {
        troubles.add(
            member.server().id()
                + " had "
                + member.healedChunks()
                + " damaged chunks; they were healed from another copy");
      }
    }
    if (!shortOfCopies.isEmpty()) {
      troubles.add(
          shortOfCopies.size()
              + " chunks or records have fewer than "
              + replicas
              + " copies; push again when all servers answer");
    }
    return troubles;
  }

  @Override
  public Batch batch() {
    int chunks = Batch.USUAL.chunks();
    for (Member member : members.all()) {
      chunks = Math.max(chunks, member.store().batch().chunks());
    }
    return new Batch(chunks, Batch.USUAL.bytes());
  }

  @Override
  public Load load() {
    return members;
  }

  @Override
  public Set<Digest> missing(Collection<Digest> digests) throws IOException {
    Map<Member, Set<Digest>> missing =
        members.askAll(all(), store -> store.missing(digests)).given();
    Set<Digest> all = new LinkedHashSet<>();
    for (Digest digest : digests) {
      List<Member> have = new ArrayList<>();
      missing.forEach((member, lacks) -> {
        if (!lacks.contains(digest)) {
          have.add(member);
        }
      });
      if (have.isEmpty()) {
        all.add(digest);
      } else if (!shortOfCopies.contains(digest)
          && domains(withSilent(have, digest, missing.keySet())).size() < replicas) {
        all.add(digest);
        holders.put(digest, have);
      }
    }
    return all;
  }

  @Override
  public void put(ChunkName chunk, ByteBuffer stored) throws IOException {
    List<Member> have = holders.getOrDefault(chunk.digest(), List.of());
    long bytes = stored.remaining();
    Change put = store -> store.put(chunk, stored.duplicate());
    spread(chunk.digest(), members.writing(chunk.digest()), have, bytes, put);
    holders.remove(chunk.digest());
    stored.position(stored.limit());
  }

  @Override
  public byte[] get(Digest digest, int sizeBytes) throws IOException {
    List<Member> damaged = new ArrayList<>();
    byte[] stored = firstOf(digest, store -> store.get(digest, sizeBytes), damaged);
    for (Member member : damaged) {
      heal(member, new ChunkName("repair", "-", 0, digest, sizeBytes), stored);
    }
    return stored;
  }

  @Override
  public void get(Digest digest, int sizeBytes, byte[] into) throws IOException {
    List<Member> damaged = new ArrayList<>();
    Member.Question<byte[]> question =
        store -> {
          store.get(digest, sizeBytes, into);
          return into;
        };
    firstOf(digest, question, damaged);
    for (Member member : damaged) {
      // A copy: a call that failed may still read it when the caller has other bytes there.
      byte[] stored = Arrays.copyOf(into, sizeBytes);
      heal(member, new ChunkName("repair", "-", 0, digest, sizeBytes), stored);
    }
  }

  @Override
  public byte[] get(Digest digest) throws IOException {
    List<Member> damaged = new ArrayList<>();
    byte[] stored = firstOf(digest, store -> store.get(digest), damaged);
    for (Member member : damaged) {
      heal(member, new ChunkName("repair", "-", 0, digest, stored.length), stored);
    }
    return stored;
  }

  @Override
  public byte[] get(Digest digest, int offset, int length) throws IOException {
    return firstOf(digest, store -> store.get(digest, offset, length), new ArrayList<>());
  }

  @Override
  public void delete(Digest digest) throws IOException {
    onAll(store -> store.delete(digest));
  }

  @Override
  public Optional<Shards> shards() {
    return Optional.of(
        new Shards(members.placement(), members.all().stream().map(Member::store).toList()));
  }

  @Override
  public void requireAll() throws IOException {
    members.askEach(RemoteStore::id).orFailIfMoreThan(0);
  }

  @Override
  public void list(Consumer<Digest> each) throws IOException {
    Set<String> names = new TreeSet<>();
    for (Set<String> some : members.askAll(spare(), ShardedStore::listed).given().values()) {
      names.addAll(some);
    }
    names.forEach(hex -> each.accept(new Digest(hex)));
  }

  @Override
  public Optional<byte[]> record(String name, int limitBytes) throws IOException {
    List<IOException> failures = new ArrayList<>();
    for (Member member : members.order(key(name))) {
      try {
        Optional<byte[]> found = member.ask(store -> store.record(name, limitBytes));
        if (found.isPresent()) {
          return found;
        }
      } catch (RegenException.BadInput | InterruptedIOException e) {
        throw e;
      } catch (IOException e) {
        failures.add(e);
      }
    }
    if (failures.size() > spare()) {
      throw Members.failure(failures);
    }
    return Optional.empty();
  }

  @Override
  public boolean replaceRecord(String name, byte[] content, @Nullable String ifTag)
      throws IOException {
    List<Member> have = new ArrayList<>();
    if (ifTag != null && !decided(name, content, ifTag, have)) {
      return false;
    }
    Change replace = store -> store.replaceRecord(name, content, null);
    spread(key(name), members.order(key(name)), have, content.length, replace);
    return true;
  }

  @Override
  public void deleteRecord(String name) throws IOException {
    onAll(store -> store.deleteRecord(name));
  }

  @Override
  public List<String> records(String prefix) throws IOException {
    Set<String> names = new TreeSet<>();
    for (List<String> some :
        members.askAll(spare(), store -> store.records(prefix)).given().values()) {
      names.addAll(some);
    }
    return List.copyOf(names);
  }

  @Override
  public void close() throws IOException {
    members.close();
  }

  private interface Change {
    void make(RemoteStore store) throws IOException;
  }

  /** Makes a change on further stores until enough failure domains have it. */
  private void spread(Digest key, List<Member> order, List<Member> have, long bytes, Change change)
      throws IOException {
    Set<String> domains = domains(have);
    List<IOException> failures = new ArrayList<>();
    for (Member member : order) {
      boolean wanted = domains.size() < replicas && !domains.contains(member.server().domain());
      if (!wanted || (member.isAway() && !domains.isEmpty())) {
        continue;
      }
      try {
        make(member, bytes, change);
        domains.add(member.server().domain());
      } catch (InterruptedIOException e) {
        throw e;
      } catch (IOException e) {
        failures.add(e);
      }
    }
    if (domains.isEmpty()) {
      throw failures.size() == 1 ? failures.getFirst() : Members.failure(failures);
    }
    if (domains.size() < replicas) {
      shortOfCopies.add(key);
    }
  }

  /**
   * Those that have a chunk, and those that should and did not answer: for as long as a server is
   * away, its chunks are not sent to others.
   */
  private Set<Member> withSilent(List<Member> have, Digest digest, Set<Member> answered) {
    Set<Member> all = new HashSet<>(have);
    members.copies(digest).stream().filter(member -> !answered.contains(member)).forEach(all::add);
    return all;
  }

  /** The first store in the record's order that answers says whether its condition holds. */
  private boolean decided(String name, byte[] content, String ifTag, List<Member> have)
      throws IOException {
    List<IOException> failures = new ArrayList<>();
    for (Member member : members.order(key(name))) {
      try {
        boolean done = member.ask(store -> store.replaceRecord(name, content, ifTag));
        have.add(member);
        return done;
      } catch (RegenException.BadInput | InterruptedIOException e) {
        throw e;
      } catch (IOException e) {
        failures.add(e);
      }
    }
    throw Members.failure(failures);
  }

  private byte[] firstOf(Digest digest, Member.Question<byte[]> question, List<Member> damaged)
      throws IOException {
    List<IOException> failures = new ArrayList<>();
    boolean allAnswered = true;
    for (Member member : members.reading(digest)) {
      try {
        return member.ask(question);
      } catch (RegenException.Damaged e) {
        damaged.add(member);
        failures.add(e);
      } catch (RegenException.NotFound | RegenException.BadInput e) {
        failures.add(e);
      } catch (InterruptedIOException e) {
        throw e;
      } catch (IOException e) {
        allAnswered = false;
        failures.add(e);
      }
    }
    IOException together = Members.failure(failures);
    if (!allAnswered) {
      throw together;
    }
    throw damaged.isEmpty()
        ? failures.getFirst()
        : new RegenException.Damaged(String.valueOf(together.getMessage()));
  }

  /** A store puts the chunk in the place of its damaged copy. */
  private static void heal(Member member, ChunkName chunk, byte[] stored)
      throws InterruptedIOException {
    try {
      make(member, stored.length, store -> store.put(chunk, ByteBuffer.wrap(stored)));
      member.healed(chunk.digest());
    } catch (InterruptedIOException e) {
      throw e;
    } catch (IOException e) {
      // It stays damaged there; what was asked for is here all the same.
    }
  }

  private void onAll(Change change) throws IOException {
    Members.Answers<Boolean> answers =
        members.askEach(store -> {
          change.make(store);
          return true;
        });
    for (IOException failure : answers.failed().values()) {
      if (failure instanceof RegenException) {
        throw failure;
      }
    }
    answers.orFailIfMoreThan(spare());
  }

  private static void make(Member member, long bytes, Change change) throws IOException {
    member.ask(
        bytes,
        store -> {
          change.make(store);
          return true;
        });
  }

  private static Set<String> listed(RemoteStore store) throws IOException {
    Set<String> names = new TreeSet<>();
    store.list(digest -> names.add(digest.hex()));
    return names;
  }

  private static Set<String> domains(Collection<Member> some) {
    Set<String> domains = new HashSet<>();
    some.forEach(member -> domains.add(member.server().domain()));
    return domains;
  }

  private static Digest key(String name) {
    return Shards.key(name);
  }

  /** So many stores may be silent without hiding anything. */
  private int spare() {
    return replicas - 1;
  }

  private int all() {
    return members.all().size();
  }
}
