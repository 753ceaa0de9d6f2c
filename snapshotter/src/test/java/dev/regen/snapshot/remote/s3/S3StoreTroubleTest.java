package dev.regen.snapshot.remote.s3;

import static dev.regen.snapshot.remote.RemoteStoreContract.bytes;
import static dev.regen.snapshot.remote.RemoteStoreContract.digest;
import static dev.regen.snapshot.remote.RemoteStoreContract.name;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.remote.StoreUrl;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What goes wrong with buckets, and with those who use them. */
final class S3StoreTroubleTest {
  private static final int CHUNK = 100_000;

  @SuppressWarnings("NullAway.Init")
  private Service service;

  @BeforeEach
  void start(@TempDir Path directory) throws Exception {
    service = new Service(directory);
  }

  @AfterEach
  void stop() {
    service.close();
  }

  @Test
  void manyPutsAtOnceShareFewPacks() throws Exception {
    try (RemoteStore store = service.open("p")) {
      putAtOnce(store, 0, 200);
      assertThat(store.missing(digests(0, 200))).isEmpty();
      assertThat(packs("p")).hasSizeLessThan(20);
      assertThat(store.get(digest(chunk(117)), CHUNK)).isEqualTo(chunk(117));
    }
  }

  @Test
  void neighboursThatAreWantedAtOnceComeWholeAndDamageHitsItsChunkAlone() throws Exception {
    try (RemoteStore store = service.open("p")) {
      putAtOnce(store, 0, 60);
    }
    for (Path pack : packs("p")) {
      change(pack, 10);
    }
    try (RemoteStore store = service.open("p")) {
      store.missing(Set.of());
      List<Future<byte[]>> gets = new ArrayList<>();
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < 120; i++) {
          Digest digest = digest(chunk(i % 60));
          gets.add(threads.submit(() -> store.get(digest, CHUNK)));
        }
      }
      int damaged = 0;
      for (int i = 0; i < gets.size(); i++) {
        try {
          assertThat(gets.get(i).get()).isEqualTo(chunk(i % 60));
        } catch (ExecutionException e) {
          assertThat(e).hasCauseInstanceOf(RegenException.Damaged.class);
          damaged++;
        }
      }
      assertThat(damaged).isEqualTo(2 * packs("p").size());
    }
  }

  @Test
  void twoWhoPushAtOnceSeeEachOthersChunks() throws Exception {
    try (RemoteStore one = service.open("p");
        RemoteStore other = service.open("p")) {
      try (ExecutorService both = Executors.newFixedThreadPool(2)) {
        Future<?> first = both.submit(() -> putAtOnce(one, 0, 60));
        Future<?> second = both.submit(() -> putAtOnce(other, 30, 60));
        first.get();
        second.get();
      }
      for (RemoteStore store : List.of(one, other)) {
        assertThat(store.missing(digests(0, 90))).isEmpty();
        for (int i = 0; i < 90; i += 10) {
          assertThat(store.get(digest(chunk(i)), CHUNK)).isEqualTo(chunk(i));
        }
      }
    }
  }

  @Test
  void aPutThatIsCutOffLeavesNothingThatIsFound() throws Exception {
    try (CuttingProxy proxy = new CuttingProxy(service.port());
        S3Store cut = new S3Store(Service.url("p/", proxy.port()), true);
        RemoteStore store = service.open("p")) {
      cut.missing(Set.of());
      proxy.cutAfter(CHUNK / 2);

      assertThatThrownBy(() -> put(cut, 1)).isInstanceOf(IOException.class);

      assertThat(store.missing(digests(1, 1))).hasSize(1);
      assertThat(cut.missing(digests(1, 1))).hasSize(1);
      put(cut, 1);
      assertThat(store.missing(digests(1, 1))).isEmpty();
    }
  }

  @Test
  void aPackThatWasDamagedIsRefusedAndItsChunksAreSentAgain() throws Exception {
    try (RemoteStore store = service.open("p");
        RemoteStore other = service.open("p")) {
      put(store, 1);
      other.missing(digests(1, 1));
      change(packs("p").getFirst(), 500);

      assertThatThrownBy(() -> store.get(digest(chunk(1)), CHUNK))
          .isInstanceOf(RegenException.Damaged.class);

      assertThat(other.missing(digests(1, 1))).hasSize(1);
      put(other, 1);
      assertThat(other.get(digest(chunk(1)), CHUNK)).isEqualTo(chunk(1));
      store.missing(Set.of());
      assertThat(store.get(digest(chunk(1)), CHUNK)).isEqualTo(chunk(1));
    }
  }

  @Test
  void aPackWithoutItsEndOrWithAnotherListHoldsNothing() throws Exception {
    try (RemoteStore store = service.open("p")) {
      put(store, 1);
      put(store, 2);
      put(store, 3);
    }
    List<Path> packs = packs("p");
    byte[] whole = Files.readAllBytes(packs.get(0));
    Files.write(packs.get(0), java.util.Arrays.copyOf(whole, whole.length - 1));
    change(packs.get(1), (int) Files.size(packs.get(1)) - 40);
    Files.write(packs.get(0).resolveSibling("no-pack"), whole);
    try (RemoteStore store = service.open("p")) {
      assertThat(store.missing(digests(1, 3))).hasSize(2);
      assertThat(store.troubles()).hasSize(2).allMatch(said -> said.contains("damaged"));
    }
  }

  @Test
  void aPackThatIsGoneIsMissing() throws Exception {
    try (RemoteStore store = service.open("p")) {
      put(store, 1);
      Files.delete(packs("p").getFirst());

      assertThatThrownBy(() -> store.get(digest(chunk(1)), CHUNK))
          .isInstanceOf(RegenException.NotFound.class);
      assertThat(store.missing(digests(1, 1))).hasSize(1);
      put(store, 1);
      assertThat(store.get(digest(chunk(1)), CHUNK)).isEqualTo(chunk(1));
    }
  }

  @Test
  void aServiceOfWhichSeveralWritersWinIsRefused() {
    StoreUrl url = StoreUrl.parse(service.text("fresh").replace("writers=one&", ""));
    assertThatThrownBy(() -> url.open(true).close())
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining("several writers")
        .hasMessageContaining("writers=one");
    assertThat(service.bucketDirectory().resolve("fresh/store.json")).doesNotExist();
  }

  @Test
  void whoOnlyLooksMakesNoStore() {
    StoreUrl url = StoreUrl.parse(service.text("fresh"));
    assertThatThrownBy(() -> url.open(false).close())
        .isInstanceOf(RegenException.NotFound.class)
        .hasMessageContaining("nothing was pushed there yet");
    assertThat(service.bucketDirectory()).isEmptyDirectory();
  }

  @Test
  void aBucketThatIsNotThereIsSaidToBe() {
    StoreUrl url = StoreUrl.parse(service.text("p").replace("/bucket/", "/other/"));
    assertThatThrownBy(() -> url.open(true).close())
        .isInstanceOf(RegenException.BadInput.class)
        .hasMessageContaining("there is no bucket 'other'");
  }

  @Test
  void wrongCredentialsAreSaidToBe() {
    System.setProperty("aws.secretAccessKey", "another");
    assertThatThrownBy(() -> service.open("p").close())
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining("credentials");
  }

  @Test
  void missingCredentialsAreSaidToBeAndWhereToPutThem() {
    System.clearProperty("aws.accessKeyId");
    System.setProperty("aws.disableEc2Metadata", "true");
    System.setProperty("aws.sharedCredentialsFile", "/nowhere");
    try {
      assertThatThrownBy(() -> service.open("p").close())
          .isInstanceOf(RegenException.Refused.class)
          .hasMessageContaining("~/.aws/credentials");
    } finally {
      System.clearProperty("aws.disableEc2Metadata");
      System.clearProperty("aws.sharedCredentialsFile");
    }
  }

  @Test
  void anEndpointThatNobodyServesIsSaidToBe() throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    try (S3Store store = new S3Store(Service.url("p/", port), true)) {
      assertThatThrownBy(store::id)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("cannot be reached");
    }
  }

  @Test
  void anEndpointThatHangsAfterTheHeadersEndsTheCall() throws Exception {
    BucketUrl url;
    try (ServerSocket hanging = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      url = Service.url("p/", hanging.getLocalPort());
      Thread server = Thread.ofVirtual().start(() -> answerHeads(hanging));
      try (S3Store store =
          new S3Store(url, new Bucket(url, Duration.ofMillis(700)), true, S3Store.LEASE)) {
        long begin = System.nanoTime();
        assertThatThrownBy(store::id).isInstanceOf(IOException.class);
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(15));
      }
      server.interrupt();
    }
  }

  @Test
  void whoLeavesInTheMiddleEndsThePackAndOthersGoOn() throws Exception {
    try (RemoteStore store = service.open("p")) {
      store.missing(Set.of());
      Thread leaver =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  put(store, 1);
                } catch (IOException e) {
                  // As it should, if it was not too fast.
                }
              });
      leaver.interrupt();
      putAtOnce(store, 2, 10);
      leaver.join();
      assertThat(store.missing(digests(2, 10))).isEmpty();
    }
  }

  @Test
  void aChunkThatCannotBeReadHereFailsAloneAndTheOthersOfItsPackAreStored() throws Exception {
    try (RemoteStore store = service.open("p")) {
      List<Future<?>> puts = new ArrayList<>();
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < 20; i++) {
          byte[] chunk = chunk(i);
          boolean readable = i != 7;
          puts.add(
              threads.submit(() -> {
                store.put(
                    name(digest(chunk), CHUNK),
                    () -> {
                      if (!readable) {
                        throw new RegenException.Damaged("the chunk is damaged here");
                      }
                      return chunk;
                    });
                return null;
              }));
        }
      }

      assertThat(packs("p")).hasSizeLessThan(5);
      for (int i = 0; i < puts.size(); i++) {
        Future<?> put = puts.get(i);
        if (i == 7) {
          assertThatThrownBy(put::get)
              .hasCauseInstanceOf(RegenException.Damaged.class)
              .hasMessageContaining("damaged here");
        } else {
          put.get();
          assertThat(store.get(digest(chunk(i)), CHUNK)).isEqualTo(chunk(i));
        }
      }
      assertThat(store.missing(digests(0, 20))).containsExactly(digest(chunk(7)));
    }
  }

  @Test
  void bytesOfAnotherLengthThanWasSaidAreNotStored() throws Exception {
    try (RemoteStore store = service.open("p")) {
      byte[] chunk = chunk(1);
      byte[] shorter = Arrays.copyOf(chunk, CHUNK - 1);

      assertThatThrownBy(() -> store.put(name(digest(chunk), CHUNK), () -> shorter))
          .isInstanceOf(RegenException.BadInput.class);

      assertThat(store.missing(digests(1, 1))).hasSize(1);
    }
  }

  @Test
  void whoLeavesWhileChunksAreReadDoesNotInterruptTheReading() throws Exception {
    try (RemoteStore store = service.open("p")) {
      store.missing(Set.of());
      CountDownLatch reads = new CountDownLatch(1);
      CountDownLatch left = new CountDownLatch(1);
      AtomicReference<Object> seen = new AtomicReference<>("not read");
      byte[] chunk = chunk(1);
      Thread leaver =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  store.put(
                      name(digest(chunk), CHUNK),
                      () -> {
                        reads.countDown();
                        try {
                          left.await();
                          Thread.sleep(300);
                          seen.set("read");
                        } catch (InterruptedException e) {
                          seen.set("interrupted");
                        }
                        return chunk;
                      });
                } catch (IOException e) {
                  seen.compareAndSet("read", e);
                }
              });
      reads.await();
      leaver.interrupt();
      left.countDown();
      leaver.join();

      assertThat(seen.get()).isInstanceOf(InterruptedIOException.class);
      assertThat(store.missing(digests(1, 1))).hasSize(1);
    }
  }

  @Test
  void aServiceThatHasTooMuchToDoIsCalledLessAtOnce() throws Exception {
    try (ServerSocket busy = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      BucketUrl url = Service.url("p/", busy.getLocalPort());
      Thread server = Thread.ofVirtual().start(() -> answerBusy(busy));
      try (Bucket bucket = new Bucket(url, Duration.ofSeconds(10))) {
        assertThat(bucket.pace().limit()).isEqualTo(4);
        ByteBuffer pack = ByteBuffer.allocateDirect(8 << 20);
        for (int i = 0; i < 2; i++) {
          assertThatThrownBy(() -> bucket.put("pack", List.of(pack), Bucket.Condition.NONE))
              .isInstanceOf(IOException.class);
        }
        assertThat(bucket.pace().limit()).isEqualTo(1);
        assertThat(pack.remaining()).isEqualTo(8 << 20);
      }
      server.interrupt();
    }
  }

  private static void answerBusy(ServerSocket server) {
    byte[] answer =
        "HTTP/1.1 503 Slow Down\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            .getBytes(StandardCharsets.US_ASCII);
    try {
      while (true) {
        try (Socket socket = server.accept()) {
          InputStream sent = socket.getInputStream();
          int length = 0;
          for (String line = line(sent); !line.isEmpty(); line = line(sent)) {
            if (line.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
              length = Integer.parseInt(line.substring(line.indexOf(':') + 1).strip());
            }
          }
          sent.readNBytes(length);
          socket.getOutputStream().write(answer);
        }
      }
    } catch (IOException e) {
      // The test is over.
    }
  }

  private static String line(InputStream from) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int next = from.read(); next >= 0 && next != '\n'; next = from.read()) {
      line.append((char) next);
    }
    return line.toString().strip();
  }

  private static void answerHeads(ServerSocket server) {
    try {
      while (true) {
        Socket socket = server.accept();
        socket.getInputStream().read(new byte[10]);
        socket
            .getOutputStream()
            .write(
                "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
                    .getBytes(StandardCharsets.US_ASCII));
      }
    } catch (IOException e) {
      // The test is over.
    }
  }

  private static byte[] chunk(int seed) {
    return bytes(seed, CHUNK);
  }

  private static List<Digest> digests(int from, int count) {
    return Stream.iterate(from, i -> i + 1).limit(count).map(i -> digest(chunk(i))).toList();
  }

  private static void put(RemoteStore store, int seed) throws IOException {
    byte[] chunk = chunk(seed);
    store.put(name(digest(chunk), CHUNK), ByteBuffer.wrap(chunk));
  }

  private static Void putAtOnce(RemoteStore store, int from, int count) throws Exception {
    List<Future<?>> puts = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = from; i < from + count; i++) {
        int seed = i;
        puts.add(
            threads.submit(() -> {
              put(store, seed);
              return null;
            }));
      }
      for (Future<?> put : puts) {
        put.get();
      }
    }
    return null;
  }

  private List<Path> packs(String prefix) throws IOException {
    try (Stream<Path> files = Files.list(service.bucketDirectory().resolve(prefix + "/packs"))) {
      return files.sorted().toList();
    }
  }

  private static void change(Path file, int offset) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[offset] ^= 1;
    Files.write(file, bytes);
  }
}
