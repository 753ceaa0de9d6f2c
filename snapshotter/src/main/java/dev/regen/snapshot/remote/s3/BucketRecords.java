package dev.regen.snapshot.remote.s3;

import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.RecordNames;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Records as objects; one is replaced by compare-and-swap, which the server decides. A name ends
 * with {@code ~} there: some services cannot keep both {@code a} and {@code a/b}.
 */
final class BucketRecords {
  private static final String RECORDS = "records/";
  private static final String END = "~";
  private static final int COUNT_MAX = 100_000;

  private final Bucket bucket;
  private final ReentrantLock oneWriter = new ReentrantLock();

  BucketRecords(Bucket bucket) {
    this.bucket = bucket;
  }

  Optional<byte[]> read(String name, int limitBytes) throws IOException {
    return bucket.get(key(name), limitBytes).map(Bucket.Stored::bytes);
  }

  boolean replace(String name, byte[] content, @Nullable String ifTag, Promise promise)
      throws IOException {
    String key = key(name);
    RemoteStore.checkRecord(content);
    if (ifTag == null) {
      bucket.put(key, content, Bucket.Condition.NONE);
      return true;
    }
    if (promise.kept()) {
      return replaceIf(key, content, ifTag, promise);
    }
    oneWriter.lock();
    try {
      return replaceIf(key, content, ifTag, promise);
    } finally {
      oneWriter.unlock();
    }
  }

  void delete(String name) throws IOException {
    bucket.delete(key(name));
  }

  List<String> list(String prefix) throws IOException {
    RecordNames.checkPrefix(prefix);
    List<String> names = new ArrayList<>();
    for (Bucket.Listed listed : bucket.list(RECORDS + prefix, COUNT_MAX)) {
      String name = listed.key().substring(RECORDS.length());
      name = name.endsWith(END) ? name.substring(0, name.length() - END.length()) : "";
      if (RecordNames.fits(name)) {
        names.add(name);
      }
    }
    names.sort(null);
    return names;
  }

  private static String key(String name) throws RegenException {
    RecordNames.check(name);
    return RECORDS + name + END;
  }

  private boolean replaceIf(String key, byte[] content, String ifTag, Promise promise)
      throws IOException {
    Optional<Bucket.Stored> now = bucket.get(key, RemoteStore.RECORD_BYTES_MAX);
    String tag = now.map(stored -> RemoteStore.tag(stored.bytes())).orElse(RemoteStore.ABSENT);
    if (!tag.equals(ifTag)) {
      return false;
    }
    Bucket.Condition condition =
        !promise.kept()
            ? Bucket.Condition.NONE
            : now.map(stored -> RaceProbe.ifMatch(stored.etag(), promise.quoted()))
                .orElse(Bucket.Condition.ABSENT);
    try {
      bucket.put(key, content, condition);
      return true;
    } catch (Failures.Lost e) {
      return false;
    } catch (Failures.ServerFailed e) {
      // Ceph's answer to some who lose; whoever calls again will see.
      if (changed(key, ifTag, content)) {
        return false;
      }
      throw e;
    }
  }

  /** Whether the record is another than it was, and not the one that was to be stored. */
  private boolean changed(String key, String tag, byte[] content) throws IOException {
    String now =
        bucket
            .get(key, RemoteStore.RECORD_BYTES_MAX)
            .map(stored -> RemoteStore.tag(stored.bytes()))
            .orElse(RemoteStore.ABSENT);
    return !now.equals(tag) && !now.equals(RemoteStore.tag(content));
  }
}
