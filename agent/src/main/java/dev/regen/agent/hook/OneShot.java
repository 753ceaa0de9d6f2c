package dev.regen.agent.hook;

import dev.regen.agent.jobs.Events;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.oci.Answer;
import dev.regen.runtime.oci.HookCall;
import dev.regen.runtime.oci.KnownFiles;
import dev.regen.runtime.oci.RuntimeExtension;
import dev.regen.runtime.oci.Spool;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.layer.LayerRestorer;
import dev.regen.snapshot.queue.SnapshotQueues;
import dev.regen.snapshot.restore.HotTrees;
import dev.regen.snapshot.restore.QueuedTrees;
import dev.regen.snapshot.store.PackedChunkStore;
import dev.regen.snapshot.store.SnapshotStore;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * One hook call in a process of its own, for when no agent answers.
 *
 * <p>Arguments: the engines' data roots, separated by spaces, then the call's five fields. Writes
 * the answer's line to standard output; exits with 0 whenever there is an answer.
 */
public final class OneShot {
  private static final int RESTORE_WORKERS = 2;

  private OneShot() {}

  public static void main(String[] args) throws IOException {
    // A logging framework takes longer to start than the whole call; failures are told as events.
    System.setProperty("slf4j.internal.verbosity", "WARN");
    System.setProperty("slf4j.provider", "org.slf4j.helpers.NOP_FallbackServiceProvider");
    Answer answer = call(new LocalDisk(), args, System.getenv());
    try (FileOutputStream out = new FileOutputStream(FileDescriptor.out)) {
      out.write((answer.line() + "\n").getBytes(StandardCharsets.UTF_8));
    }
  }

  static Answer call(Disk disk, String[] args, Map<String, String> environment) throws IOException {
    Path home = Path.of(environment.getOrDefault("REGEN_HOME", "/var/lib/regen"));
    Path run = Path.of(environment.getOrDefault("REGEN_RUN", "/run/regen"));
    List<Path> dataRoots =
        Arrays.stream(args[0].split(" ", -1)).filter(r -> !r.isEmpty()).map(Path::of).toList();
    HookCall call = HookCall.parse(Arrays.copyOfRange(args, 1, args.length));
    InstantSource clock = InstantSource.system();
    Events events = new Events(disk, home, clock);
    RuntimeExtension extension =
        new RuntimeExtension(
            disk,
            home,
            dataRoots,
            new LazyTrees(() -> trees(disk, home, new LazyKeys(disk, environment))),
            new WithoutAgent(run, new Spool(disk, home.resolve("spool"))),
            KnownFiles.NONE,
            new EventNotices(events),
            clock);
    return extension.handle(call);
  }

  private static QueuedTrees trees(Disk disk, Path home, Keys keys) throws IOException {
    PackedChunkStore chunks = new PackedChunkStore(disk, home.resolve("chunks"));
    // What is encrypted of a manifest is of no use to a start.
    SnapshotStore snapshots = new SnapshotStore(disk, home.resolve("snapshots"), Keys.NONE);
    LayerRestorer restorer = new LayerRestorer(new ChunkReader(chunks, keys), RESTORE_WORKERS);
    return new QueuedTrees(
        new SnapshotQueues(disk, home.resolve("queues")),
        snapshots,
        new HotTrees(disk, restorer, snapshots, HotTrees.Unpacked.UNHEARD));
  }
}
