package dev.regen.snapshot.transfer;

import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.s3.TestBucket;
import java.time.Duration;

/** The same in a bucket, where chunks are marked before they go. */
final class CollectionInBucketTest extends CollectionWhilePushingTest {
  @Override
  Shared shared() throws Exception {
    TestBucket bucket = new TestBucket(directory.resolve("bucket"), Duration.ofSeconds(1));
    bucket.open().id();
    return new Shared() {
      @Override
      public RemoteStore open() {
        return bucket.open();
      }

      @Override
      public void close() {
        bucket.close();
      }
    };
  }

  /** Times in a list have whole seconds. */
  @Override
  Duration grace() {
    return Duration.ofSeconds(3);
  }
}
