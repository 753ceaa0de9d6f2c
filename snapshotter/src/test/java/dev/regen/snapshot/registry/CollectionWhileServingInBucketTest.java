package dev.regen.snapshot.registry;

import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.s3.TestBucket;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;

/** The same in a bucket, where chunks are marked before they go, and another host collects. */
@Tag("long")
final class CollectionWhileServingInBucketTest extends CollectionWhileServingTest {
  @SuppressWarnings("NullAway.Init")
  private TestBucket bucket;

  @Override
  RemoteStore serving() throws Exception {
    bucket = new TestBucket(directory.resolve("bucket"), LEASE);
    bucket.open().id();
    return bucket.open();
  }

  @Override
  RemoteStore collecting() throws IOException {
    return bucket.open();
  }

  /** Times in a list have whole seconds. */
  @Override
  Duration grace() {
    return Duration.ofSeconds(3);
  }

  @AfterEach
  void end() {
    bucket.close();
  }
}
