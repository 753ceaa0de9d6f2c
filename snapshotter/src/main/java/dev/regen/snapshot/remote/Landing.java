package dev.regen.snapshot.remote;

import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscription;
import org.jspecify.annotations.Nullable;

/**
 * Memory of a caller's that an answer's body is written to as it arrives, until the caller takes it
 * back: a call that nobody waits for any more may still receive some. Safe for use by several
 * threads at once.
 */
final class Landing {
  private static final byte[] ELSEWHERE = new byte[0];

  private final int limitBytes;

  /** Null once it was taken back; guarded by this, as what follows. */
  private byte @Nullable [] memory;

  private int count;

  /**
   * @param limitBytes of one body, at most as many as {@code memory} has
   */
  Landing(byte[] memory, int limitBytes) {
    if (limitBytes > memory.length) {
      throw new IllegalArgumentException(limitBytes + " bytes are not in " + memory.length);
    }
    this.memory = memory;
    this.limitBytes = limitBytes;
  }

  int limitBytes() {
    return limitBytes;
  }

  /**
   * Receives one answer; it fails, in Java's words for that, where its body is longer than the
   * limit. The body that it returns is empty.
   */
  BodySubscriber<byte[]> receiver() {
    return BodySubscribers.limiting(new Receiver(), limitBytes);
  }

  /** Takes bytes that came in another way. */
  synchronized void write(int at, ByteBuffer some) {
    int bytes = some.remaining();
    if (memory != null) {
      some.get(memory, at, bytes);
      count = at + bytes;
    }
  }

  /**
   * Nothing is written after this.
   *
   * @return how many bytes the last body had as far as it came
   */
  synchronized int takeBack() {
    memory = null;
    return count;
  }

  private final class Receiver implements BodySubscriber<byte[]> {
    private final CompletableFuture<byte[]> body = new CompletableFuture<>();
    private int at;

    @Override
    public CompletionStage<byte[]> getBody() {
      return body;
    }

    @Override
    public void onSubscribe(Subscription subscription) {
      // A body may have none.
      write(0, ByteBuffer.allocate(0));
      subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> some) {
      for (ByteBuffer one : some) {
        int bytes = one.remaining();
        write(at, one);
        at += bytes;
      }
    }

    @Override
    public void onError(Throwable failure) {
      body.completeExceptionally(failure);
    }

    @Override
    public void onComplete() {
      body.complete(ELSEWHERE);
    }
  }
}
