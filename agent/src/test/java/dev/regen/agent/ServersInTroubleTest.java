package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.storage.SlowProxy;
import dev.regen.agent.storage.StorageOptions;
import dev.regen.agent.storage.StorageServer;
import dev.regen.agent.storage.TroubledProxy;
import dev.regen.agent.storage.TroubledProxy.Trouble;
import dev.regen.agent.tcp.Listening;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Three storage servers with two copies of each chunk, of which one is slow, hangs, fails or lies:
 * pushes and pulls succeed in seconds, by way of the others.
 */
final class ServersInTroubleTest extends TwoHosts {
  private static final int FILES = 60;
  private static final int FILE_BYTES = 300_000;

  private final List<StorageServer> servers = new ArrayList<>();
  private final List<TroubledProxy> ways = new ArrayList<>();

  @BeforeEach
  void startServers() throws IOException {
    for (int i = 0; i < 3; i++) {
      servers.add(server(i, Long.MAX_VALUE));
      ways.add(new TroubledProxy(servers.get(i).uri()));
    }
    importFiles("desk", 1, FILES, FILE_BYTES);
  }

  @AfterEach
  void stopServers() throws IOException {
    for (TroubledProxy way : ways) {
      way.close();
    }
    for (StorageServer server : servers) {
      server.close();
    }
  }

  @ParameterizedTest
  @EnumSource(value = Trouble.class, mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void aServerInTroubleCostsAPushAndAPullSecondsAndNoChunk(Trouble trouble) throws Exception {
    ways.getFirst().behave(trouble);
    long began = System.nanoTime();
    done(regen("push", "desk", "--store", store(2), "--json"));
    assertThat(seconds(began)).as("push").isLessThan(30);
    ways.getFirst().behave(Trouble.NONE);
    ways.getLast().behave(trouble);
    began = System.nanoTime();

    done(other("pull", "desk", "--store", store(2), "--json"));

    assertThat(seconds(began)).as("pull").isLessThan(30);
    assertSameLayer("desk");
  }

  @Test
  void oneThatHangsInTheMiddleOfAPullIsLeftForTheOtherCopies() throws Exception {
    done(regen("push", "desk", "--store", store(2), "--json"));
    long began = System.nanoTime();
    try (SlowProxy slow = new SlowProxy(servers.get(1).uri(), FILES * FILE_BYTES / 8)) {
      String store =
          ways.get(0).uri() + ";id=a," + slow.uri() + ";id=b," + ways.get(2).uri() + ";id=c";
      CompletableFuture<Result> pull =
          meanwhile(() -> other("pull", "desk", "--store", store + "?replicas=2", "--json"));
      Thread.sleep(1000);
      ways.getFirst().behave(Trouble.HANGS_AFTER_THE_HEADERS);
      done(pull.join());
    }
    assertThat(seconds(began)).isLessThan(30);
    assertSameLayer("desk");
  }

  @Test
  void aSlowServerDoesNotKeepTheOthersWaitingWhenTheirCopiesWillDo() throws Exception {
    done(regen("push", "desk", "--store", store(2), "--json"));
    // It would take 24 s for its third of all: a second for each 72nd part.
    try (SlowProxy slow = new SlowProxy(servers.getFirst().uri(), FILES * FILE_BYTES / 72)) {
      String store =
          slow.uri() + ";id=a," + ways.get(1).uri() + ";id=b," + ways.get(2).uri() + ";id=c";
      done(other("pull", "desk", "--store", store + "?replicas=2", "--json"));
      System.out.printf("%d bytes through the slow one%n", slow.passedBytes());
      assertThat(slow.passedBytes()).isLessThan(FILES * FILE_BYTES * 2L / 9);
    }
    assertSameLayer("desk");
  }

  @Test
  void aFullServerLeavesItsShareToTheOthers() throws Exception {
    try (StorageServer small = server(3, 2_000_000)) {
      String store = store(2).replace("?", "," + small.uri() + ";id=d?");
      JsonObject pushed = done(regen("push", "desk", "--store", store, "--json"));
      assertThat(pushed.strings("troubles")).anyMatch(said -> said.contains("507"));
      done(other("pull", "desk", "--store", store, "--json"));
    }
    assertSameLayer("desk");
  }

  @Test
  void oneThatSaysItHasTooMuchToDoIsAskedLessAtOnce() throws Exception {
    String alone = ways.getFirst().uri().toString();
    ways.getFirst().behave(Trouble.TOO_MUCH_TO_DO);
    done(regen("push", "desk", "--store", alone, "--json"));
    int careful = ways.getFirst().underWayMost();
    ways.getFirst().behave(Trouble.NONE);
    done(other("pull", "desk", "--store", alone, "--json"));
    assertThat(careful).isLessThan(ways.getFirst().underWayMost());
    assertSameLayer("desk");
  }

  private String store(int replicas) {
    List<String> all = new ArrayList<>();
    for (int i = 0; i < ways.size(); i++) {
      URI uri = ways.get(i).uri();
      all.add(uri + ";id=" + (char) ('a' + i));
    }
    return String.join(",", all) + "?replicas=" + replicas;
  }

  private StorageServer server(int number, long quota) throws IOException {
    return new StorageServer(
        new StorageOptions(
            new Listening(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), null, null, null),
            directory.resolve("stored-" + number),
            quota,
            null));
  }

  private static double seconds(long began) {
    double seconds = (System.nanoTime() - began) / 1e9;
    System.out.printf("%.1f s%n", seconds);
    return seconds;
  }
}
