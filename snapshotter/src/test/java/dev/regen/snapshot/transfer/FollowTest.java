package dev.regen.snapshot.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.Snapshot;
import dev.regen.snapshot.SnapshotId;
import dev.regen.snapshot.layer.LayerRestorer;
import dev.regen.snapshot.layer.Progress;
import dev.regen.snapshot.remote.DirectoryRemote;
import dev.regen.snapshot.remote.Placement;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.ShardedStore;
import dev.regen.snapshot.store.StoredBytes;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Host B fetches while host A pushes: one of them dies, is late, or gets wrong bytes. */
final class FollowTest {
  private static final int FILES = 40;

  @TempDir private Path directory;
  private DirectoryRemote stored;
  private SharedStore wayA;
  private SharedStore wayB;
  private TestHost hostA;
  private TestHost hostB;

  @BeforeEach
  void open() throws IOException {
    stored = new DirectoryRemote(directory.resolve("store"), Long.MAX_VALUE);
    wayA = new SharedStore(stored);
    wayB = new SharedStore(stored);
    hostA = new TestHost(directory.resolve("a"));
    hostB = new TestHost(directory.resolve("b"));
  }

  @AfterEach
  void close() {
    stored.close();
  }

  @Test
  void aFollowThatBeginsBeforeThePushTakesChunksWhileTheyCome() throws Exception {
    SnapshotId id = hostA.capture(1, FILES);
    FutureTask<Pull.Result> follow = meanwhile(() -> hostB.follow(wayB));
    Thread.sleep(200);
    wayA.putMillis = 50;
    FutureTask<Transferred> push = meanwhile(() -> hostA.push(wayA, id));
    await(() -> wayB.gets.get() > 1);
    assertThat(push.isDone()).as("B fetches while A still sends").isFalse();

    push.get();
    Pull.Result result = follow.get(10, TimeUnit.SECONDS);

    assertThat(result.transferred().chunks()).isEqualTo(result.transferred().totalChunks());
    assertSame(id, hostB);
    assertThat(stored.records("queues/")).hasSize(1);
    assertThat(hostB.captures.arrivals().uploading(TestHost.DESK)).isEmpty();
  }

  @Test
  void whenThePusherDiesTheFollowerWaitsAndGoesOnWithTheRest() throws Exception {
    SnapshotId id = hostA.capture(2, FILES);
    wayA.putsMax = FILES / 2;
    FutureTask<Pull.Result> follow = meanwhile(() -> hostB.follow(wayB));
    assertThatThrownBy(() -> hostA.push(wayA, id)).hasMessageContaining("cable");
    await(() -> wayB.gets.get() > FILES / 3);
    Thread.sleep(1000);
    int asked = wayB.questions.get();
    Thread.sleep(2000);
    assertThat(wayB.questions.get() - asked).as("questions in 2 s of silence").isLessThan(25);
    assertThat(hostB.queue()).isEmpty();
    assertThat(hostB.captures.arrivals().uploading(TestHost.DESK)).hasSize(1);

    wayA.putsMax = Integer.MAX_VALUE;
    hostA.push(wayA, id);

    Pull.Result result = follow.get(10, TimeUnit.SECONDS);
    assertThat(wayB.gets.get())
        .as("each chunk once, and the manifest")
        .isEqualTo(result.transferred().totalChunks() + 1);
    assertSame(id, hostB);
  }

  @Test
  void aFollowerThatEndsAndBeginsAgainFetchesOnlyTheRest() throws Exception {
    SnapshotId id = hostA.capture(3, FILES);
    wayA.putsMax = FILES / 2;
    assertThatThrownBy(() -> hostA.push(wayA, id)).hasMessageContaining("cable");
    AtomicBoolean cancelled = new AtomicBoolean();
    FutureTask<Pull.Result> first = meanwhile(() -> hostB.follow(wayB, until(cancelled)));
    await(() -> wayB.gets.get() > FILES / 3);
    Thread.sleep(300);
    cancelled.set(true);
    assertThatThrownBy(first::get).hasCauseInstanceOf(CancellationException.class);
    int fetched = wayB.gets.get();

    TestHost again = new TestHost(directory.resolve("b"));
    again.captures.removals().sweep();
    wayA.putsMax = Integer.MAX_VALUE;
    hostA.push(wayA, id);
    Pull.Result result = again.follow(wayB);

    assertThat(result.transferred().chunks())
        .isEqualTo(result.transferred().totalChunks() + 1 - fetched);
    assertSame(id, again);
  }

  @Test
  void whereNothingComesForTooLongTheFollowerSaysSoAndKeepsWhatCame() throws Exception {
    assertThatThrownBy(() ->
            hostB.follow.follow(
                wayB,
                TestHost.DESK,
                "latest",
                Duration.ofMillis(700),
                Follow.Ahead.NOTHING,
                TransferProgress.NONE))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining("nobody began to push queue 'desk'");
    SnapshotId id = hostA.capture(4, FILES);
    wayA.putsMax = FILES / 2;
    assertThatThrownBy(() -> hostA.push(wayA, id)).hasMessageContaining("cable");
    assertThatThrownBy(() ->
            hostB.follow.follow(
                wayB,
                TestHost.DESK,
                "latest",
                Duration.ofMillis(700),
                Follow.Ahead.NOTHING,
                TransferProgress.NONE))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining("does not go on");
    int fetched = wayB.gets.get();

    wayA.putsMax = Integer.MAX_VALUE;
    hostA.push(wayA, id);
    hostB.pull.pull(wayB, TestHost.DESK, "latest", TransferProgress.NONE);
    assertThat(fetched).isGreaterThan(FILES / 3);
    assertSame(id, hostB);
  }

  @Test
  void chunksThatAreDamagedInTheStoreAreNamedAndTheNextPushSendsThoseAlone() throws Exception {
    SnapshotId id = hostA.capture(5, FILES);
    hostA.push(wayA, id);
    damage(7);
    damage(23);
    int before = wayA.puts.get();
    FutureTask<Pull.Result> follow = meanwhile(() -> hostB.follow(wayB));
    await(() -> stored.records("queues/desk/missing/").size() == 1);
    assertThat(hostB.queue()).isEmpty();

    Transferred again = hostA.push(wayA, id);

    assertThat(again.chunks()).isEqualTo(2);
    assertThat(wayA.puts.get() - before).isEqualTo(2);
    follow.get(10, TimeUnit.SECONDS);
    assertSame(id, hostB);
    assertThat(stored.records("queues/")).as("no report is left").hasSize(1);
  }

  @Test
  void aPushThatStillRunsSendsWhatTheFollowerDidNotGet() throws Exception {
    SnapshotId id = hostA.capture(6, FILES);
    wayA.putsMax = FILES / 2;
    assertThatThrownBy(() -> hostA.push(wayA, id)).hasMessageContaining("cable");
    damage(3);
    FutureTask<Pull.Result> follow = meanwhile(() -> hostB.follow(wayB));
    await(() -> wayB.gets.get() > FILES / 3);
    wayA.putsMax = Integer.MAX_VALUE;
    wayA.putMillis = 30;
    hostA.push(wayA, id);
    wayA.putMillis = 0;
    await(() -> follow.isDone() || stored.records("queues/desk/missing/").size() == 1);

    hostA.push(wayA, id);

    follow.get(10, TimeUnit.SECONDS);
    assertSame(id, hostB);
  }

  @Test
  void aPlainPullNamesWhatIsDamagedTooAndThePushHealsIt() throws Exception {
    SnapshotId id = hostA.capture(7, FILES);
    hostA.push(wayA, id);
    damage(11);
    assertThatThrownBy(() -> hostB.pull.pull(wayB, TestHost.DESK, "latest", TransferProgress.NONE))
        .isInstanceOf(RegenException.Damaged.class)
        .hasMessageContaining("push it again");
    assertThat(hostA.push(wayA, id).chunks()).isEqualTo(1);
    assertThat(
            hostB
                .pull
                .pull(wayB, TestHost.DESK, "latest", TransferProgress.NONE)
                .transferred()
                .chunks())
        .isEqualTo(1);
    assertSame(id, hostB);
  }

  @Test
  void twoFollowersOfOnePushBothGetAll() throws Exception {
    TestHost hostC = new TestHost(directory.resolve("c"));
    SnapshotId id = hostA.capture(8, FILES);
    FutureTask<Pull.Result> one = meanwhile(() -> hostB.follow(wayB));
    FutureTask<Pull.Result> same = meanwhile(() -> hostB.follow(new SharedStore(stored)));
    FutureTask<Pull.Result> other = meanwhile(() -> hostC.follow(new SharedStore(stored)));
    wayA.putMillis = 30;
    hostA.push(wayA, id);
    one.get(10, TimeUnit.SECONDS);
    same.get(10, TimeUnit.SECONDS);
    other.get(10, TimeUnit.SECONDS);
    assertSame(id, hostB);
    assertSame(id, hostC);
  }

  @Test
  void ofTwoStoresOneIsFullForThePusherAndTheFollowerTakesTheOnlyCopies() throws Exception {
    try (DirectoryRemote other = new DirectoryRemote(directory.resolve("other"), Long.MAX_VALUE)) {
      SharedStore otherWayA = new SharedStore(other);
      otherWayA.putsMax = 5;
      wayA.putMillis = 20;
      SnapshotId id = hostA.capture(14, FILES);
      FutureTask<Pull.Result> follow =
          meanwhile(() -> hostB.follow(both(wayB, new SharedStore(other))));
      hostA.push(both(wayA, otherWayA), id);
      follow.get(10, TimeUnit.SECONDS);
      assertSame(id, hostB);
    }
  }

  private static ShardedStore both(RemoteStore one, RemoteStore other) {
    return new ShardedStore(
        new Placement(
            List.of(
                new Placement.Server("one", 1, "one"), new Placement.Server("other", 1, "other")),
            2),
        List.of(one, other));
  }

  @Test
  void aSnapshotThatIsRemovedThereEndsTheFollowAndNothingOfItIsKept() throws Exception {
    SnapshotId id = hostA.capture(9, FILES);
    wayA.putMillis = 50;
    FutureTask<Transferred> push = meanwhile(() -> hostA.push(wayA, id));
    FutureTask<Pull.Result> follow = meanwhile(() -> hostB.follow(wayB));
    await(() -> wayB.gets.get() > 0);
    hostA.captures.removals().remove(TestHost.DESK, id);
    assertThatThrownBy(push::get).hasMessageContaining("left queue desk");
    assertThatThrownBy(() -> follow.get(10, TimeUnit.SECONDS)).hasMessageContaining("removed");
    assertThat(stored.records("queues/")).isEmpty();
    assertThat(hostB.captures.arrivals().uploading(TestHost.DESK)).isEmpty();
    int[] left = new int[1];
    hostB.chunks.list(_ -> left[0]++);
    assertThat(left[0]).isZero();
  }

  @Test
  void latestIsWhatIsBeingPushedElseWhatIsNotHereElseWhatWillBePushedNext() throws Exception {
    SnapshotId first = hostA.capture(10, 3);
    SnapshotId second = hostA.capture(11, FILES);
    hostA.push(wayA, first);
    assertThat(hostB.follow(wayB).snapshot().id()).isEqualTo(first);

    FutureTask<Pull.Result> follow = meanwhile(() -> hostB.follow(wayB));
    Thread.sleep(300);
    assertThat(follow.isDone()).as("the newest is here: it waits for the next").isFalse();
    hostA.push(wayA, second);
    assertThat(follow.get(10, TimeUnit.SECONDS).snapshot().id()).isEqualTo(second);
    assertThat(hostB.queue()).containsExactly(first, second);
  }

  @Test
  void whoReadsAheadGetsTheTreeAndNeverBytesThatWereNotCompared() throws Exception {
    SnapshotId id = hostA.capture(12, FILES);
    Path tree = directory.resolve("tree");
    wayA.putMillis = 30;
    FutureTask<Transferred> push = meanwhile(() -> hostA.push(wayA, id));
    Follow.Ahead ahead =
        (snapshot, arriving) -> {
          FutureTask<Snapshot> unpacking =
              meanwhile(() -> {
                new LayerRestorer(hostB.reader.of(arriving), 2)
                    .restore(snapshot.archive(), tree, List.of(), List.of(), Progress.NONE);
                return snapshot;
              });
          return new Follow.Begun() {
            @Override
            public void landed() {
              try {
                unpacking.get(10, TimeUnit.SECONDS);
              } catch (Exception e) {
                throw new AssertionError(e);
              }
            }

            @Override
            public void end() {
              unpacking.cancel(true);
            }
          };
        };
    hostB.follow.follow(
        wayB, TestHost.DESK, "latest", TestHost.PATIENCE, ahead, TransferProgress.NONE);
    push.get();
    Process same =
        new ProcessBuilder("diff", "-r", tree.toString(), directory.resolve("a/tree-12").toString())
            .inheritIO()
            .start();
    assertThat(same.waitFor()).isZero();
  }

  @Test
  void whoReadsAheadIsToldWhenNothingComesAnyMore() throws Exception {
    SnapshotId id = hostA.capture(13, FILES);
    wayA.putsMax = FILES / 2;
    assertThatThrownBy(() -> hostA.push(wayA, id)).hasMessageContaining("cable");
    Path tree = directory.resolve("tree");
    FutureTask<?>[] unpacking = new FutureTask<?>[1];
    Follow.Ahead ahead =
        (snapshot, arriving) -> {
          unpacking[0] =
              meanwhile(() -> {
                new LayerRestorer(hostB.reader.of(arriving), 2)
                    .restore(snapshot.archive(), tree, List.of(), List.of(), Progress.NONE);
                return snapshot;
              });
          return Follow.Begun.NOTHING;
        };
    assertThatThrownBy(() ->
            hostB.follow.follow(
                wayB, TestHost.DESK, "latest", Duration.ofSeconds(2), ahead, TransferProgress.NONE))
        .isInstanceOf(RegenException.Refused.class);
    assertThatThrownBy(() -> unpacking[0].get(5, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(CancellationException.class);
    assertThat(tree).doesNotExist();
  }

  private void damage(int index) throws IOException {
    Snapshot snapshot = hostA.snapshots.read(hostA.queue().getLast());
    Digest digest = snapshot.archive().chunks().get(index).digest();
    StoredBytes.flipBit(stored.place(digest).orElseThrow());
  }

  private void assertSame(SnapshotId id, TestHost host) throws IOException {
    assertThat(host.queue()).contains(id);
    assertThat(host.tar(id)).isEqualTo(hostA.tar(id));
    assertThat(host.captures.checks().verify(null).allWell()).isTrue();
  }

  private static TransferProgress until(AtomicBoolean cancelled) {
    return new TransferProgress() {
      @Override
      public boolean cancelled() {
        return cancelled.get();
      }
    };
  }

  private static <T> FutureTask<T> meanwhile(Callable<T> work) {
    FutureTask<T> task = new FutureTask<>(work);
    Thread.ofPlatform().daemon().start(task);
    return task;
  }

  private interface Condition {
    boolean holds() throws IOException;
  }

  private static void await(Condition condition) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(15);
    while (!condition.holds()) {
      assertThat(System.nanoTime()).as("waited for 15 s").isLessThan(deadline);
      Thread.sleep(10);
    }
  }
}
