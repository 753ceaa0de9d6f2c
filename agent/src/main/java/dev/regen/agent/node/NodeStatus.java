package dev.regen.agent.node;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How it stands between a node and its manager, in {@code node.json} beside the agent's socket.
 *
 * @param manager where it is, without what is secret
 * @param since when it came to be so
 * @param trouble why there is no connection; null if there is one
 * @param remedy what mends that; null if nothing but time
 */
public record NodeStatus(
    String manager, String node, Instant since, @Nullable String trouble, @Nullable String remedy) {
  private static final String FILE = "node.json";
  private static final int BYTES_MAX = 64 << 10;

  /** As an agent has written it; empty if it has no manager. */
  public static Optional<NodeStatus> read(Path run) throws IOException {
    try {
      JsonObject json = JsonObject.parse(new LocalDisk().read(run.resolve(FILE), BYTES_MAX));
      return Optional.of(
          new NodeStatus(
              json.string("manager"),
              json.string("node"),
              json.instant("since"),
              json.stringOrNull("trouble"),
              json.stringOrNull("remedy")));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  void write(Disk disk, Path run) throws IOException {
    JsonObject json =
        new JsonObject()
            .with("manager", manager)
            .with("node", node)
            .with("since", since)
            .with("trouble", trouble)
            .with("remedy", remedy);
    new Records(disk).replace(run.resolve(FILE), json.bytes());
  }

  static void remove(Disk disk, Path run) throws IOException {
    disk.delete(run.resolve(FILE));
  }
}
