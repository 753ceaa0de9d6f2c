package dev.regen.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.fleet.FleetClient;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A container that moves between two nodes runs at one of them, whatever fails or is killed. */
@EngineTest
final class MoveEngineTest {
  private static final int KILLS = 8;

  private final Host one;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @SuppressWarnings("NullAway.Init")
  private ManagerProcess manager;

  @SuppressWarnings("NullAway.Init")
  private StorageProcess store;

  @SuppressWarnings("NullAway.Init")
  private Host two;

  MoveEngineTest(Host one) {
    this.one = one;
  }

  @BeforeEach
  void join() throws Exception {
    manager = new ManagerProcess(directory);
    store = new StorageProcess(one);
    two = Host.start();
    join(one, "n1");
    join(two, "n2");
    Host.await("both nodes", this::areConnected);
  }

  @AfterEach
  void leave() throws Exception {
    two.close();
    store.close();
    manager.close();
  }

  @Test
  void keptContainerGoesOnAtTheOtherNodeAndComesBack() throws Exception {
    run("kept");
    write(one, "kept", "one");

    JsonObject there = moved("kept", "n2");

    assertThat(there.string("state")).as("%s", there).isEqualTo("success");
    assertThat(read(two, "kept")).isEqualTo("one");
    assertThat(one.docker("start", "kept").err()).contains("has moved to n2");
    assertThat(one.regen("ls").ok()).contains("moved to n2");
    assertThat(one.regen("restore", "kept", "--at=-1").err()).contains("has moved to n2");
    assertThat(one.regen("ls", "--json").ok().lines().filter(row -> row.contains("\"kept\"")))
        .singleElement()
        .asString()
        .doesNotContain("restore");
    assertThat(two.regen("ls").ok()).doesNotContain("moved to");
    write(two, "kept", "two");
    JsonObject back = moved("kept", "n1");
    assertThat(back.string("state")).as("%s", back).isEqualTo("success");
    assertThat(read(one, "kept")).isEqualTo("one\ntwo");
    assertThat(two.docker("start", "kept").err()).contains("has moved to n1");
    JsonObject again = moved("kept", "n2");
    assertThat(again.string("state")).as("%s", again).isEqualTo("success");
    assertThat(read(two, "kept")).isEqualTo("one\ntwo");
  }

  @Test
  @Tag("long")
  void containerThatIsRemovedAtItsEndGoesOnAtTheOtherNode() throws Exception {
    run("passing", "--rm");
    write(one, "passing", "one");

    JsonObject there = moved("passing", "n2");

    assertThat(there.string("state")).as("%s", there).isEqualTo("success");
    assertThat(read(two, "passing")).isEqualTo("one");
    assertThat(one.desk("passing", "true").err()).contains("has moved to n2");
  }

  @Test
  @Tag("long")
  void moveThatFailsAtTheOtherNodeIsTakenBack() throws Exception {
    run("blocked", "-e", "A=1");
    write(one, "blocked", "one");
    two.docker("load", "-i", savedImage()).ok();
    two.docker("create", "--name=blocked", "--network=none", Host.IMAGE, "true").ok();

    JsonObject failed = moved("blocked", "n2");

    assertThat(failed.string("state")).as("%s", failed).isEqualTo("failed");
    assertThat(failed.string("message")).contains("could not be created again", "was taken back");
    assertThat(read(one, "blocked")).isEqualTo("one");
    assertThat(two.docker("ps", "-q").ok()).isEmpty();
    two.docker("rm", "blocked").ok();
    JsonObject after = moved("blocked", "n2");
    assertThat(after.string("state")).as("%s", after).isEqualTo("success");
  }

  @Test
  @Tag("long")
  void whatUsesAVolumeOrPlainRuncStaysAndSaysWhy() throws Exception {
    run("bound", "-v", "/anonymous");
    one.docker(
            "run",
            "-d",
            "--name=plain",
            "--network=none",
            "--label=regen.queue=plain",
            Host.IMAGE,
            "sleep",
            "600")
        .ok();
    one.regen("capture", "plain", "--wait").ok();

    assertThat(moved("bound", "n2").string("message"))
        .contains("has not moved from here", "volume at /anonymous", "--leave-volumes");
    assertThat(moved("plain", "n2").string("message")).contains("runs under plain runc");
    assertThat(running(one, "bound")).isTrue();
    assertThat(running(one, "plain")).isTrue();
  }

  @Test
  @Tag("long")
  void whicheverIsKilledMeanwhileItRunsAtOneNodeOnly() throws Exception {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    Random random = new Random(seed);
    run("killed");
    write(one, "killed", "0");
    AtomicReference<String> twice = new AtomicReference<>("");
    AtomicBoolean done = new AtomicBoolean();
    Thread watch = Thread.startVirtualThread(() -> watch(done, twice));
    String expected = "0\n";
    for (int kill = 1; kill <= KILLS; kill++) {
      Host before = running(one, "killed") ? one : two;
      String to = before == one ? "n2" : "n1";
      Host.await("both nodes", this::areConnected);
      String move = asked("killed", to);
      Thread.sleep(random.nextInt(4_000));
      switch (random.nextInt(3)) {
        case 0 -> {
          manager.kill();
          manager.startAgain();
        }
        case 1 -> restart(one);
        default -> restart(two);
      }
      JsonObject end = ended(move);

      Host runs = end.string("state").equals("success") == (before == one) ? two : one;
      assertThat(running(runs, "killed")).as("seed %d, kill %d: %s", seed, kill, end).isTrue();
      assertThat(read(runs, "killed"))
          .as("seed %d, kill %d", seed, kill)
          .isEqualTo(expected.strip());
      write(runs, "killed", Integer.toString(kill));
      expected += kill + "\n";
    }
    done.set(true);
    watch.join();
    assertThat(twice.get()).as("seed %d", seed).isEmpty();
  }

  private void watch(AtomicBoolean done, AtomicReference<String> twice) {
    try {
      for (int i = 0; !done.get(); i++) {
        // Whoever is asked first is asked again: it may have moved in between.
        if (running(one, "killed") && running(two, "killed") && running(one, "killed")) {
          twice.set("at look " + i);
        }
        Thread.sleep(20);
      }
    } catch (IOException | InterruptedException e) {
      twice.set(e.toString());
    }
  }

  private boolean areConnected() throws IOException, InterruptedException {
    String nodes = manager.admin().get("/v1/nodes").json().toString();
    return nodes.split("\"connected\"", -1).length == 3;
  }

  private static void restart(Host host) throws Exception {
    host.stopAgent(true);
    host.startAgent();
  }

  private void join(Host host, String name) throws Exception {
    String token =
        manager
            .admin()
            .post("/v1/nodes", new JsonObject().with("name", name))
            .json()
            .string("token");
    Path file = Files.writeString(directory.resolve(name), token);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    host.configure(
        new JsonObject()
            .with("manager", manager.uri() + "?token-file=" + file)
            .with("node", name)
            .with("store", store.url())
            .with("jobIntervalMillis", 200));
    host.stopAgent(false);
    host.startAgent();
  }

  private void run(String name, String... more) throws Exception {
    List<String> words =
        new ArrayList<>(
            List.of(
                "run",
                "-d",
                "--runtime=regen",
                "--stop-timeout=1",
                "--network=none",
                "--name=" + name));
    words.addAll(List.of(more));
    words.addAll(List.of(Host.IMAGE, "sleep", "600"));
    one.docker(words.toArray(String[]::new)).ok();
  }

  private String savedImage() throws Exception {
    String image = directory.resolve("image.tar").toString();
    one.docker("save", "-o", image, Host.IMAGE).ok();
    return image;
  }

  private static void write(Host host, String name, String line) throws Exception {
    host.docker("exec", name, "sh", "-c", "echo " + line + " >>/state; sync").ok();
  }

  private static String read(Host host, String name) throws Exception {
    return host.docker("exec", name, "cat", "/state").ok();
  }

  private static boolean running(Host host, String name) throws IOException, InterruptedException {
    Command.Result inspected =
        host.docker("inspect", "-f", "{{.State.Running}}", "--type=container", name);
    return inspected.code() == 0 && inspected.out().strip().equals("true");
  }

  private JsonObject moved(String queue, String to) throws Exception {
    return ended(asked(queue, to));
  }

  private String asked(String queue, String to) throws Exception {
    String from = to.equals("n1") ? "n2" : "n1";
    FleetClient.Answer answer =
        manager
            .admin()
            .post(
                "/v1/moves",
                new JsonObject().with("queue", queue).with("to", to).with("from", from));
    assertThat(answer.status()).as("%s", answer).isEqualTo(202);
    return answer.json().string("id");
  }

  private JsonObject ended(String move) throws Exception {
    Host.await(
        "move " + move,
        () -> manager.admin().get("/v1/moves/" + move).json().stringOrNull("endedAt") != null);
    return manager.admin().get("/v1/moves/" + move).json();
  }
}
