package dev.regen.snapshot.remote;

import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.Flow.Subscriber;
import java.util.concurrent.Flow.Subscription;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Sees when a byte of one call last moved, in either direction. What has gone into the buffers of
 * this host counts as moved.
 */
final class Movement {
  private volatile long lastNanos = System.nanoTime();
  private final AtomicLong arrivedBytes = new AtomicLong();

  long lastNanos() {
    return lastNanos;
  }

  /** Of the answer's body, when all of it is here. */
  long arrivedBytes() {
    return arrivedBytes.get();
  }

  HttpRequest watched(HttpRequest request) {
    return request
        .bodyPublisher()
        .map(body ->
            HttpRequest.newBuilder(request, (_, _) -> true)
                .method(request.method(), watched(body))
                .build())
        .orElse(request);
  }

  BodyHandler<byte[]> watched(BodyHandler<byte[]> handler) {
    return head -> {
      moved();
      return watched(handler.apply(head));
    };
  }

  private void moved() {
    lastNanos = System.nanoTime();
  }

  private BodyPublisher watched(BodyPublisher body) {
    return new BodyPublisher() {
      @Override
      public long contentLength() {
        return body.contentLength();
      }

      @Override
      public void subscribe(Subscriber<? super ByteBuffer> subscriber) {
        body.subscribe(new Watched<>(subscriber));
      }
    };
  }

  private BodySubscriber<byte[]> watched(BodySubscriber<byte[]> reader) {
    arrivedBytes.set(0);
    Flow.Subscriber<List<ByteBuffer>> watched = new Watched<>(reader);
    return new BodySubscriber<>() {
      @Override
      public CompletionStage<byte[]> getBody() {
        return reader.getBody();
      }

      @Override
      public void onSubscribe(Subscription subscription) {
        watched.onSubscribe(subscription);
      }

      @Override
      public void onNext(List<ByteBuffer> bytes) {
        arrivedBytes.addAndGet(bytes.stream().mapToLong(ByteBuffer::remaining).sum());
        watched.onNext(bytes);
      }

      @Override
      public void onError(Throwable failure) {
        watched.onError(failure);
      }

      @Override
      public void onComplete() {
        watched.onComplete();
      }
    };
  }

  private final class Watched<T> implements Subscriber<T> {
    private final Subscriber<? super T> to;

    Watched(Subscriber<? super T> to) {
      this.to = to;
    }

    @Override
    public void onSubscribe(Subscription subscription) {
      to.onSubscribe(subscription);
    }

    @Override
    public void onNext(T item) {
      moved();
      to.onNext(item);
    }

    @Override
    public void onError(Throwable failure) {
      to.onError(failure);
    }

    @Override
    public void onComplete() {
      moved();
      to.onComplete();
    }
  }
}
