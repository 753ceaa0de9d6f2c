package dev.regen.agent;

import dev.regen.agent.jobs.JobLimits;
import dev.regen.agent.node.NodeConfiguration;
import dev.regen.agent.observe.ObserveConfiguration;
import dev.regen.runtime.Why;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What the agent can be told.
 *
 * @param home {@code REGEN_HOME}: queues, snapshots, chunks
 * @param run {@code REGEN_RUN}: the socket
 * @param keyset {@code REGEN_KEYSET}: the file of keys for encryption, by default {@code
 *     /etc/regen/keys.json}
 * @param compressors threads that compress, 1 to 64 ({@code compressors} in the file, default 2)
 * @param spoolPoll how often the spool is looked at without being told ({@code spoolPollMillis})
 * @param hotTreeBytes what unpacked trees that wait for their next run may take on the disk ({@code
 *     hotTreeMegabytes}, default 20,000; 0 keeps none but for some minutes)
 * @param dataRoots where engines keep their data ({@code dataRoots}; {@code REGEN_DATA_ROOTS},
 *     separated by spaces, goes before it)
 * @param store where {@code push} and {@code pull} go that name no store ({@code store}), null for
 *     nowhere
 * @param jobs how many operations are started, and when ({@code jobIntervalMillis}, {@code
 *     jobBatch}, {@code jobDeadlineSeconds}, {@code jobPlaces}, {@code transferPlaces})
 * @param api who may reach the API, and how
 * @param fleet the fleet that this host is a node of ({@code manager}, a URL, and {@code node}, its
 *     name there), null for none
 * @param observe what the agent tells of itself
 */
public record AgentConfiguration(
    Path home,
    Path run,
    Path keyset,
    int compressors,
    Duration spoolPoll,
    long hotTreeBytes,
    List<Path> dataRoots,
    @Nullable StoreUrl store,
    JobLimits jobs,
    ApiConfiguration api,
    @Nullable NodeConfiguration fleet,
    ObserveConfiguration observe) {
  /** Where the file is, unless {@code REGEN_CONFIGURATION} says otherwise. */
  public static final Path FILE = Path.of("/etc/regen/regen.json");

  private static final long FILE_BYTES_MAX = 1 << 20;
  private static final Set<String> KEYS =
      Set.of(
          "home",
          "run",
          "keyset",
          "compressors",
          "spoolPollMillis",
          "hotTreeMegabytes",
          "dataRoots",
          "store",
          "jobIntervalMillis",
          "jobBatch",
          "jobDeadlineSeconds",
          "jobPlaces",
          "transferPlaces",
          "manager",
          "node");
  private static final int COMPRESSORS_MAX = 64;
  private static final long MEGABYTE = 1_000_000;
  private static final long HOT_TREE_MEGABYTES = 20_000;

  public AgentConfiguration {
    dataRoots = List.copyOf(dataRoots);
    if (!home.isAbsolute() || !run.isAbsolute() || !keyset.isAbsolute()) {
      throw new IllegalArgumentException("home, run and keyset are absolute paths");
    }
    if (compressors < 1 || compressors > COMPRESSORS_MAX) {
      throw new IllegalArgumentException("compressors is 1 to " + COMPRESSORS_MAX);
    }
    if (spoolPoll.toMillis() < 10 || spoolPoll.toMinutes() > 10) {
      throw new IllegalArgumentException("spoolPollMillis is 10 to 600000");
    }
    if (hotTreeBytes < 0) {
      throw new IllegalArgumentException("hotTreeMegabytes is at least 0");
    }
  }

  /**
   * Reads the file, if there is one; {@code REGEN_HOME}, {@code REGEN_RUN} and {@code REGEN_KEYSET}
   * go before what it says.
   *
   * @throws IOException if it holds an unknown key or a value that does not fit, or cannot be read
   */
  public static AgentConfiguration load(Disk disk, Map<String, String> environment)
      throws IOException {
    String named = environment.get("REGEN_CONFIGURATION");
    Path file = named == null ? FILE : Path.of(named);
    JsonObject json;
    try {
      json = JsonObject.parse(disk.read(file, FILE_BYTES_MAX));
    } catch (NoSuchFileException e) {
      json = new JsonObject();
    } catch (IOException e) {
      throw new IOException(file + ": " + Why.of(e), e);
    }
    try {
      return of(json, environment);
    } catch (IOException | IllegalArgumentException | ArithmeticException e) {
      throw new IOException(file + ": " + Why.of(e), e);
    }
  }

  static AgentConfiguration of(JsonObject json, Map<String, String> environment)
      throws IOException {
    Set<String> known = new TreeSet<>(KEYS);
    known.addAll(ApiConfiguration.KEYS);
    known.addAll(ObserveConfiguration.KEYS);
    for (String key : json.members().keySet()) {
      if (!known.contains(key)) {
        throw new IOException("unknown key '" + key + "'; known are " + known);
      }
    }
    return new AgentConfiguration(
        path(json, "home", environment.get("REGEN_HOME"), "/var/lib/regen"),
        path(json, "run", environment.get("REGEN_RUN"), "/run/regen"),
        path(json, "keyset", environment.get("REGEN_KEYSET"), "/etc/regen/keys.json"),
        Math.toIntExact(json.numberOr("compressors", 2)),
        Duration.ofMillis(json.numberOr("spoolPollMillis", 1000)),
        Math.multiplyExact(json.numberOr("hotTreeMegabytes", HOT_TREE_MEGABYTES), MEGABYTE),
        dataRoots(json, environment.getOrDefault("REGEN_DATA_ROOTS", "")),
        store(json.stringOrNull("store")),
        jobs(json),
        ApiConfiguration.of(json),
        NodeConfiguration.of(json.stringOrNull("manager"), json.stringOrNull("node")),
        ObserveConfiguration.of(json, environment));
  }

  /** The same with another store. */
  AgentConfiguration with(StoreUrl other) {
    return new AgentConfiguration(
        home,
        run,
        keyset,
        compressors,
        spoolPoll,
        hotTreeBytes,
        dataRoots,
        other,
        jobs,
        api,
        fleet,
        observe);
  }

  /** The same with another way to the API. */
  AgentConfiguration with(ApiConfiguration other) {
    return new AgentConfiguration(
        home,
        run,
        keyset,
        compressors,
        spoolPoll,
        hotTreeBytes,
        dataRoots,
        store,
        jobs,
        other,
        fleet,
        observe);
  }

  /** The same in another fleet. */
  AgentConfiguration with(NodeConfiguration other) {
    return new AgentConfiguration(
        home,
        run,
        keyset,
        compressors,
        spoolPoll,
        hotTreeBytes,
        dataRoots,
        store,
        jobs,
        api,
        other,
        observe);
  }

  private static JobLimits jobs(JsonObject json) throws IOException {
    JobLimits usual = JobLimits.DEFAULT;
    return new JobLimits(
        Duration.ofMillis(json.numberOr("jobIntervalMillis", usual.interval().toMillis())),
        Math.toIntExact(json.numberOr("jobBatch", usual.batch())),
        Duration.ofSeconds(json.numberOr("jobDeadlineSeconds", usual.deadline().toSeconds())),
        Math.toIntExact(json.numberOr("jobPlaces", usual.places())),
        Math.toIntExact(json.numberOr("transferPlaces", usual.transferPlaces())));
  }

  private static @Nullable StoreUrl store(@Nullable String text) {
    return text == null ? null : StoreUrl.parse(text);
  }

  private static List<Path> dataRoots(JsonObject json, String given) throws IOException {
    List<String> told =
        given.isBlank() ? json.strings("dataRoots") : List.of(given.strip().split("\\s+", -1));
    return (told.isEmpty() ? List.of("/var/lib/docker") : told).stream().map(Path::of).toList();
  }

  private static Path path(JsonObject json, String key, @Nullable String given, String otherwise)
      throws IOException {
    if (given != null && !given.isBlank()) {
      return Path.of(given);
    }
    String told = json.stringOrNull(key);
    return Path.of(told == null ? otherwise : told);
  }
}
