package dev.regen.agent;

import dev.regen.agent.hook.OneShotTraining;
import dev.regen.agent.storage.StorageOptions;
import dev.regen.agent.storage.StorageServer;
import dev.regen.agent.tcp.Listening;
import dev.regen.runtime.ContainerId;
import dev.regen.runtime.QueueName;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.json.JsonObject;
import dev.regen.runtime.oci.FrozenLayer;
import dev.regen.runtime.oci.LayerFacts;
import dev.regen.runtime.oci.SeenRun;
import dev.regen.runtime.oci.Spool;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.overlay.Staging;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An agent in a scratch directory that takes a few ends of a container that never was, and moves
 * what it has over a storage server and back, so that the JDK can keep what it loads and which of
 * its methods are busy: the first capture, push and pull of a fresh agent then are not slower than
 * the next. Run by {@code regen install}; needs root, takes some seconds.
 */
public final class AgentTraining {
  private static final int ENDS = 4;
  private static final int MOVES = 4;
  private static final int DIRECTORIES = 150;
  private static final int FILES_EACH = 20;
  private static final int LARGE_BYTES = 6 << 20;
  private static final long LIMIT_NANOS = 60_000_000_000L;
  private static final QueueName QUEUE = new QueueName("training");

  private static final InstantSource CLOCK = InstantSource.system();

  private final Path scratch;
  private final Staging staging;
  private final Map<String, String> environment;
  private final Random random = new Random(1);

  private AgentTraining(Path scratch) throws IOException {
    this.scratch = scratch;
    this.staging =
        new Staging(Files.createDirectories(scratch.resolve("docker").resolve("regen-staging")));
    this.environment =
        Map.of(
            "REGEN_HOME", scratch.resolve("agent-home").toString(),
            "REGEN_RUN", scratch.resolve("agent-run").toString(),
            "REGEN_KEYSET", scratch.resolve("keys.json").toString(),
            "REGEN_DATA_ROOTS", scratch.resolve("docker").toString(),
            "REGEN_CONFIGURATION", scratch.resolve("none.json").toString(),
            "DOCKER_HOST", "unix://" + scratch.resolve("no-engine.sock"));
  }

  /** Argument: an empty directory, which is left with garbage in it and nothing mounted. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Path scratch = Path.of(args[0]);
    OneShotTraining.main(new String[] {Files.createDirectory(scratch.resolve("hooks")).toString()});
    new AgentTraining(scratch).run();
    System.exit(0);
  }

  private void run() throws IOException, InterruptedException {
    AgentConfiguration configuration =
        AgentConfiguration.of(new JsonObject().with("spoolPollMillis", 20), environment);
    try (Agent agent = new Agent(configuration, environment, CLOCK)) {
      agent.start();
      Instant now = CLOCK.instant().truncatedTo(ChronoUnit.MILLIS);
      for (int end = 0; end < ENDS; end++) {
        take(now.plusMillis(end));
      }
      for (String command : List.of("ls", "show", "verify")) {
        ask(command, QUEUE.value());
      }
      for (int move = 0; move < MOVES; move++) {
        move(scratch.resolve("storage-" + move));
      }
    }
  }

  /** All that the agent has goes to a storage server and comes back. */
  private void move(Path directory) throws IOException {
    InetSocketAddress anywhere = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    StorageOptions options =
        new StorageOptions(
            new Listening(anywhere, null, null, null), directory, Long.MAX_VALUE, null);
    try (StorageServer server = new StorageServer(options)) {
      String store = server.uri().toString();
      ask("push", QUEUE.value(), "--no-image", "--store", store);
      ask("rm", "--queue", QUEUE.value());
      ask("restore", QUEUE.value(), "--from", store);
    }
  }

  /** One end: a container began with the tree that the last one left, and changed some of it. */
  private void take(Instant endedAt) throws IOException, InterruptedException {
    ContainerId container = new ContainerId("c" + endedAt.toEpochMilli());
    Path tree = staging.frozen(QUEUE, endedAt, container);
    Path before = hotTree();
    if (before == null) {
      fill(tree);
    } else {
      new LocalDisk().rename(before, tree);
      change(tree);
    }
    Spool spool = new Spool(new LocalDisk(), scratch.resolve("agent-home/spool"));
    spool.write(
        new FrozenLayer(
            Staging.jobName(QUEUE, endedAt, container),
            new LayerFacts(container, QUEUE, ENDS),
            tree,
            FrozenLayer.Kind.EXCHANGED,
            Fd.stat(tree).inode(),
            SeenRun.between(null, endedAt),
            List.of()));
    long deadline = System.nanoTime() + LIMIT_NANOS;
    while (!spool.list().isEmpty() || hotTree() == null) {
      if (System.nanoTime() > deadline) {
        throw new IOException("the agent in training does not archive");
      }
      Thread.sleep(20);
    }
  }

  private @Nullable Path hotTree() throws IOException {
    try (Stream<Path> trees = Files.list(staging.directory())) {
      return trees
          .filter(tree -> tree.getFileName().toString().startsWith(Staging.HOT))
          .findFirst()
          .orElse(null);
    }
  }

  private void fill(Path tree) throws IOException {
    for (int i = 0; i < DIRECTORIES; i++) {
      Path directory = Files.createDirectories(tree.resolve("d" + i % 12).resolve("e" + i));
      for (int j = 0; j < FILES_EACH; j++) {
        Files.write(directory.resolve("file-" + j), content(random.nextInt(20_000)));
      }
    }
    Files.write(tree.resolve("large"), content(LARGE_BYTES));
  }

  private void change(Path tree) throws IOException {
    for (int i = 0; i < DIRECTORIES; i += 10) {
      Path directory = tree.resolve("d" + i % 12).resolve("e" + i);
      Files.write(directory.resolve("file-1"), content(random.nextInt(20_000)));
    }
  }

  /** Half noise, half text, as in trees of programs. */
  private byte[] content(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    byte[] text = "import org.example.of.what.people.write; ".getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i + text.length < length; i += 2 * text.length) {
      System.arraycopy(text, 0, bytes, i, text.length);
    }
    return bytes;
  }

  private void ask(String... arguments) throws IOException {
    OutputStream said = new ByteArrayOutputStream();
    int status =
        Main.run(
            arguments,
            environment,
            InputStream.nullInputStream(),
            OutputStream.nullOutputStream(),
            said,
            false);
    if (status != 0) {
      throw new IOException(String.join(" ", arguments) + ": " + said);
    }
  }
}
