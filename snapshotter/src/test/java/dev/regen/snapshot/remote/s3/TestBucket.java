package dev.regen.snapshot.remote.s3;

import dev.regen.snapshot.remote.RemoteStore;
import java.nio.file.Path;
import java.time.Duration;

/** A bucket of a service of this process, for tests of other packages. */
public final class TestBucket implements AutoCloseable {
  private final Service service;
  private final Duration lease;

  public TestBucket(Path directory, Duration lease) throws Exception {
    this.service = new Service(directory);
    this.lease = lease;
  }

  /** As one more host has it open. */
  public RemoteStore open() {
    return service.store("shared/", lease);
  }

  @Override
  public void close() {
    service.close();
  }
}
