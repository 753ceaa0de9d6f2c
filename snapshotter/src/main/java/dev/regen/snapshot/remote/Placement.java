package dev.regen.snapshot.remote;

import dev.regen.snapshot.Digest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Which servers keep a chunk: weighted rendezvous hashing. Every host that knows the same servers
 * comes to the same answer, without asking anybody.
 *
 * <p>Each server draws a number for each chunk, from its id and the chunk's digest alone; the
 * chunk's copies are on the servers with the highest, of each failure domain at most one. So a
 * server that is added takes its share from all others and moves nothing else, and what a lost one
 * held falls to all others in equal parts.
 */
public final class Placement {
  public static final int SERVERS_MAX = 64;
  public static final int WEIGHT_MAX = 1000;

  private static final double FRACTIONS = 0x1p53;

  private final List<Server> servers;
  private final int replicas;
  private final long[] seeds;

  /**
   * One server.
   *
   * @param id 1 to 255 characters; what is placed moves if it changes
   * @param weight its share compared with the others', up to {@link #WEIGHT_MAX}; with 0 it gets
   *     nothing, and what it has is still read
   * @param domain what fails together with it has the same domain
   */
  public record Server(String id, int weight, String domain) {
    public Server {
      if (id.isEmpty() || id.length() > 255 || domain.isEmpty() || domain.length() > 255) {
        throw new IllegalArgumentException("a server's id and domain have 1 to 255 characters");
      }
      if (weight < 0 || weight > WEIGHT_MAX) {
        throw new IllegalArgumentException("a server's weight is 0 to " + WEIGHT_MAX);
      }
    }
  }

  /**
   * Over these servers.
   *
   * @param replicas copies of each chunk, at least 1
   * @throws IllegalArgumentException if there are fewer failure domains than copies, or two servers
   *     have one id
   */
  public Placement(List<Server> servers, int replicas) {
    this.servers = List.copyOf(servers);
    this.replicas = replicas;
    if (servers.isEmpty() || servers.size() > SERVERS_MAX) {
      throw new IllegalArgumentException("there are 1 to " + SERVERS_MAX + " servers");
    }
    if (servers.stream().map(Server::id).distinct().count() < servers.size()) {
      throw new IllegalArgumentException("two servers have one id");
    }
    long domains =
        servers.stream()
            .filter(server -> server.weight() > 0)
            .map(Server::domain)
            .distinct()
            .count();
    if (replicas < 1 || replicas > domains) {
      throw new IllegalArgumentException(
          replicas + " copies need as many failure domains; there are " + domains);
    }
    seeds = servers.stream().mapToLong(server -> seed(server.id())).toArray();
  }

  public List<Server> servers() {
    return servers;
  }

  public int replicas() {
    return replicas;
  }

  /** All servers, as their places in {@link #servers}, those that should have the chunk first. */
  public List<Integer> order(Digest digest) {
    long chunk = Long.parseUnsignedLong(digest.hex().substring(0, 16), 16);
    double[] scores = new double[seeds.length];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = score(mixed(mixed(chunk) ^ seeds[i]), servers.get(i).weight());
    }
    List<Integer> order = new ArrayList<>(IntStream.range(0, scores.length).boxed().toList());
    order.sort(
        Comparator.<Integer>comparingDouble(i -> -scores[i])
            .thenComparing(i -> servers.get(i).id()));
    List<Integer> first = new ArrayList<>();
    Set<String> domains = new HashSet<>();
    for (int i : order) {
      if (first.size() < replicas && domains.add(servers.get(i).domain())) {
        first.add(i);
      }
    }
    order.removeAll(first);
    first.addAll(order);
    return first;
  }

  /** The servers that should have the chunk, of {@link #replicas} different failure domains. */
  public List<Integer> copies(Digest digest) {
    return order(digest).subList(0, replicas);
  }

  /**
   * The highest of as many draws as the server has weight, computed from one.
   *
   * <p>Source: Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", 2005.
   */
  private static double score(long hash, int weight) {
    double fraction = ((hash >>> 11) + 0.5) / FRACTIONS;
    return -weight / Math.log(fraction);
  }

  private static long seed(String id) {
    String hex = Digest.of(ByteBuffer.wrap(id.getBytes(StandardCharsets.UTF_8))).hex();
    return Long.parseUnsignedLong(hex.substring(0, 16), 16);
  }

  /** The finalizer of SplitMix64: each bit of the result depends on each bit given. */
  private static long mixed(long bits) {
    long z = bits + 0x9e3779b97f4a7c15L;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
