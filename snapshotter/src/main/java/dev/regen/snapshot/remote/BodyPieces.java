package dev.regen.snapshot.remote;

import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.ByteBuffer;
import java.util.concurrent.Flow;

/**
 * A body of a request in pieces of its own memory: the JDK's other publishers copy it, in steps of
 * 16 KiB.
 */
public final class BodyPieces implements Flow.Subscription {
  private final ByteBuffer body;
  private final int pieceBytes;
  private final Flow.Subscriber<? super ByteBuffer> receiver;
  private long asked;
  private boolean giving;
  private boolean ended;

  private BodyPieces(
      ByteBuffer body, int pieceBytes, Flow.Subscriber<? super ByteBuffer> receiver) {
    this.body = body;
    this.pieceBytes = pieceBytes;
    this.receiver = receiver;
  }

  /**
   * The bytes from position to limit, which nobody changes until the request has ended.
   *
   * @param pieceBytes how long a piece is, but the last; of memory on the heap not more than a
   *     socket takes at once, for what it leaves is copied again
   */
  public static BodyPublisher of(ByteBuffer body, int pieceBytes) {
    return BodyPublishers.fromPublisher(
        receiver -> receiver.onSubscribe(new BodyPieces(body.duplicate(), pieceBytes, receiver)),
        body.remaining());
  }

  @Override
  public void request(long more) {
    synchronized (this) {
      asked = asked + more < 0 ? Long.MAX_VALUE : asked + more;
      if (giving) {
        return;
      }
      giving = true;
    }
    give();
  }

  @Override
  public synchronized void cancel() {
    ended = true;
  }

  /** In one thread at a time: who receives a piece may ask for the next one meanwhile. */
  private void give() {
    while (true) {
      ByteBuffer piece;
      synchronized (this) {
        if (ended || asked == 0) {
          giving = false;
          return;
        }
        asked--;
        int bytes = Math.min(pieceBytes, body.remaining());
        piece = body.slice(body.position(), bytes).asReadOnlyBuffer();
        body.position(body.position() + bytes);
        ended = !body.hasRemaining();
      }
      receiver.onNext(piece);
      if (!body.hasRemaining()) {
        receiver.onComplete();
      }
    }
  }
}
