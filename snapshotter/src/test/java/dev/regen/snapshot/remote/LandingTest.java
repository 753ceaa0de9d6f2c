package dev.regen.snapshot.remote;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Flow.Subscription;
import org.junit.jupiter.api.Test;

/** Bodies that are too long, too short or too late for the memory that they go to. */
final class LandingTest {
  private static final int LIMIT = 100;

  private final byte[] memory = new byte[200];
  private final Landing landing = new Landing(memory, LIMIT);

  @Test
  void aBodyInPiecesIsInOrder() {
    BodySubscriber<byte[]> receiver = receiver();

    receiver.onNext(List.of(piece(1, 30), piece(2, 20)));
    receiver.onNext(List.of(piece(3, 50)));
    receiver.onComplete();

    assertThat(receiver.getBody()).isCompleted();
    assertThat(landing.takeBack()).isEqualTo(LIMIT);
    assertThat(memory).startsWith(filled(1, 30)).containsSubsequence(filled(2, 20));
    assertThat(Arrays.copyOfRange(memory, 50, 100)).isEqualTo(filled(3, 50));
  }

  @Test
  void aBodyThatIsTooLongFailsAndNothingIsBehindTheLimit() {
    BodySubscriber<byte[]> receiver = receiver();

    receiver.onNext(List.of(piece(1, 60)));
    receiver.onNext(List.of(piece(2, 41)));

    assertThat(receiver.getBody()).isCompletedExceptionally();
    assertThat(Arrays.copyOfRange(memory, LIMIT, memory.length)).containsOnly(0);
  }

  @Test
  void aShortBodyCountsForWhatItIs() {
    BodySubscriber<byte[]> receiver = receiver();

    receiver.onNext(List.of(piece(1, 99)));
    receiver.onComplete();

    assertThat(landing.takeBack()).isEqualTo(99);
  }

  @Test
  void anEmptyBodyAfterAnotherCountsForNothing() {
    receiver().onNext(List.of(piece(1, LIMIT)));

    receiver().onComplete();

    assertThat(landing.takeBack()).isZero();
  }

  @Test
  void whatComesAfterTheMemoryWasTakenBackIsNotWritten() {
    BodySubscriber<byte[]> receiver = receiver();
    receiver.onNext(List.of(piece(1, 40)));

    int count = landing.takeBack();
    Arrays.fill(memory, (byte) 7);
    receiver.onNext(List.of(piece(2, 60)));
    receiver.onComplete();
    landing.write(0, piece(3, 10));

    assertThat(count).isEqualTo(40);
    assertThat(memory).containsOnly(7);
  }

  private BodySubscriber<byte[]> receiver() {
    BodySubscriber<byte[]> receiver = landing.receiver();
    receiver.onSubscribe(
        new Subscription() {
          @Override
          public void request(long more) {
            // All of it comes without being asked for.
          }

          @Override
          public void cancel() {
            // What comes all the same is the test.
          }
        });
    return receiver;
  }

  private static ByteBuffer piece(int value, int length) {
    return ByteBuffer.wrap(filled(value, length)).asReadOnlyBuffer();
  }

  private static byte[] filled(int value, int length) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }
}
