package dev.regen.snapshot.remote.s3;

import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.Pace;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;

/**
 * The objects under one prefix of one bucket. Each call is made once, ends in bounded time, and
 * fails in words.
 */
final class Bucket implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** The most, where the service bears it. */
  private static final int CALLS_AT_ONCE = 16;

  /** What 1,000 names take at most. */
  private static final int PAGE_BYTES = 2 << 20;

  private final BucketUrl url;
  private final S3Client client;
  private final Failures failures;
  private final Timed timed;
  private final Pace pace;

  Bucket(BucketUrl url) {
    this(url, PATIENCE);
  }

  Bucket(BucketUrl url, Duration patience) {
    this.url = url;
    this.client = Clients.open(url, patience);
    this.failures = new Failures(url);
    this.pace = new Pace(CALLS_AT_ONCE);
    this.timed = new Timed(url.words(), patience, pace);
  }

  /** An object's bytes, and what names this version of it. */
  static final class Stored {
    private final byte[] bytes;
    private final String etag;

    Stored(byte[] bytes, String etag) {
      this.bytes = bytes;
      this.etag = etag;
    }

    byte[] bytes() {
      return bytes;
    }

    String etag() {
      return etag;
    }
  }

  /** An object in a list. */
  record Listed(String key, long size, Instant modified) {}

  /** On what a put depends. Both null: on nothing. */
  record Condition(@Nullable String ifMatch, @Nullable String ifNoneMatch) {
    static final Condition NONE = new Condition(null, null);
    static final Condition ABSENT = new Condition(null, "*");
  }

  String words() {
    return url.words();
  }

  /** How many calls at once it bears, as far as that was found out. */
  Pace pace() {
    return pace;
  }

  /**
   * An object; empty if there is none.
   *
   * @throws RegenException.Damaged if it is longer than {@code limit} bytes
   */
  Optional<Stored> get(String key, int limit) throws IOException {
    Stored stored;
    try {
      stored = call(limit, () -> fetch(key, null, limit));
    } catch (RegenException.NotFound e) {
      return Optional.empty();
    }
    if (stored.bytes().length > limit) {
      throw new RegenException.Damaged(
          key + " in " + words() + " is longer than " + limit + " bytes");
    }
    return Optional.of(stored);
  }

  /**
   * Some bytes of an object, as many as were asked for.
   *
   * @throws RegenException.NotFound if there is no such object
   * @throws IOException if it ends before
   */
  byte[] get(String key, long offset, int length) throws IOException {
    String range = "bytes=" + offset + "-" + (offset + length - 1);
    byte[] bytes = call(length, () -> fetch(key, range, length)).bytes();
    if (bytes.length != length) {
      throw new IOException(
          words() + " gave " + bytes.length + " bytes of " + key + ", not " + length);
    }
    return bytes;
  }

  /**
   * Puts an object as a whole; it lasts when this returns.
   *
   * @return what names this version of it
   * @throws Failures.Lost if the condition did not hold
   */
  String put(String key, List<ByteBuffer> content, Condition condition) throws IOException {
    long length = content.stream().mapToLong(ByteBuffer::remaining).sum();
    PutObjectRequest request =
        PutObjectRequest.builder()
            .bucket(url.bucket())
            .key(url.prefix() + key)
            .contentLength(length)
            .ifMatch(condition.ifMatch())
            .ifNoneMatch(condition.ifNoneMatch())
            .build();
    RequestBody body =
        RequestBody.fromContentProvider(
            () -> new BuffersInput(content), length, "application/octet-stream");
    if (content.size() > 1 || !content.getFirst().isDirect()) {
      return call(length, () -> bare(client.putObject(request, body).eTag()));
    }
    return call(
        length,
        () ->
            ScopedValue.where(Sender.BODY, content.getFirst())
                .call(() -> bare(client.putObject(request, body).eTag())));
  }

  /** As the other {@code put}. */
  String put(String key, byte[] content, Condition condition) throws IOException {
    return put(key, List.of(ByteBuffer.wrap(content)), condition);
  }

  /** Deletes an object if it is there. */
  void delete(String key) throws IOException {
    call(
        0,
        () -> client.deleteObject(request -> request.bucket(url.bucket()).key(url.prefix() + key)));
  }

  /**
   * All objects whose keys begin with {@code prefix}, in order.
   *
   * @throws RegenException.Refused if there are more than {@code limit}
   */
  List<Listed> list(String prefix, int limit) throws IOException {
    List<Listed> all = new ArrayList<>();
    String whole = url.prefix() + prefix;
    String next = null;
    do {
      ListObjectsV2Request request =
          ListObjectsV2Request.builder()
              .bucket(url.bucket())
              .prefix(whole)
              .continuationToken(next)
              .build();
      ListObjectsV2Response page = call(PAGE_BYTES, () -> client.listObjectsV2(request));
      page.contents().stream()
          .filter(object -> object.key().startsWith(whole))
          .map(object ->
              new Listed(
                  object.key().substring(url.prefix().length()),
                  object.size(),
                  object.lastModified()))
          .forEach(all::add);
      if (all.size() > limit) {
        throw new RegenException.Refused(
            words()
                + " holds more than "
                + limit
                + " objects in "
                + prefix
                + ": use another prefix");
      }
      String after = page.nextContinuationToken();
      if (after != null && after.equals(next)) {
        throw new IOException(words() + " answers nonsense: its list does not end");
      }
      next = Boolean.TRUE.equals(page.isTruncated()) ? after : null;
    } while (next != null);
    return all;
  }

  @Override
  public void close() {
    client.close();
  }

  private Stored fetch(String key, @Nullable String range, int limit) {
    GetObjectRequest request =
        GetObjectRequest.builder()
            .bucket(url.bucket())
            .key(url.prefix() + key)
            .range(range)
            .build();
    ResponseTransformer<GetObjectResponse, Stored> reader =
        ResponseTransformer.unmanaged(
            (answer, body) -> new Stored(read(body, limit), bare(answer.eTag())));
    return client.getObject(request, reader);
  }

  /** At most one byte more than there may be. */
  private static byte[] read(InputStream body, int limit) throws IOException {
    try (body) {
      byte[] bytes = body.readNBytes(limit + 1);
      if (bytes.length > limit && body instanceof AbortableInputStream rest) {
        rest.abort();
      }
      return bytes;
    }
  }

  private <T> T call(long bytes, Callable<T> call) throws IOException {
    return timed.call(
        bytes,
        () -> {
          try {
            return call.call();
          } catch (SdkException e) {
            throw failures.of(e);
          }
        });
  }

  private static String bare(@Nullable String etag) {
    return etag == null ? "" : etag.replace("\"", "");
  }
}
