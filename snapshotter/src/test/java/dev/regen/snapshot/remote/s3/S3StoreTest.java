package dev.regen.snapshot.remote.s3;

import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.RemoteStoreContract;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

final class S3StoreTest extends RemoteStoreContract {
  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @SuppressWarnings("NullAway.Init")
  private Service service;

  @Override
  protected RemoteStore open() throws Exception {
    service = new Service(directory);
    return service.open("contract");
  }

  @AfterEach
  void stop() throws Exception {
    service.close();
  }
}
