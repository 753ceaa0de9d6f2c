package dev.regen.agent.hook;

import dev.regen.agent.AgentConfiguration;
import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.Records;
import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.crypt.Keys;
import dev.regen.snapshot.crypt.Keyset;
import dev.regen.snapshot.crypt.QueueKey;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Looks where the keyset is only when a chunk turns out to be encrypted. */
final class LazyKeys implements Keys {
  private final Disk disk;
  private final Map<String, String> environment;
  private @Nullable Keyset opened;

  LazyKeys(Disk disk, Map<String, String> environment) {
    this.disk = disk;
    this.environment = environment;
  }

  @Override
  public QueueKey key(KeyId id) throws IOException {
    return keyset().key(id);
  }

  @Override
  public QueueKey active() throws IOException {
    return keyset().active();
  }

  private synchronized Keyset keyset() throws IOException {
    if (opened == null) {
      opened =
          new Keyset(
              new Records(disk),
              AgentConfiguration.load(disk, environment).keyset(),
              InstantSource.system());
    }
    return opened;
  }
}
