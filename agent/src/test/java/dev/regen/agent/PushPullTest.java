package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.storage.StorageProcess;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Snapshots from one agent to another, through storage servers that are processes. */
final class PushPullTest extends TwoHosts {
  private static final String MARKER = "the-secret-marker-77aa";

  private final List<StorageProcess> servers = new ArrayList<>();

  @AfterEach
  void stopServers() {
    servers.forEach(StorageProcess::close);
  }

  @Test
  void aSnapshotMovesToAnotherHostAndOnlyWhatChangedTheNextTime() throws IOException {
    String store = server("s").uri().toString();
    importFiles("desk", 1, 300, 20_000);

    JsonObject first = done(regen("push", "desk", "--store", store, "--json"));
    assertThat(first.number("chunks")).isEqualTo(first.number("totalChunks")).isGreaterThan(20);
    JsonObject pulled = done(other("pull", "desk", "--store", store, "--json"));
    assertThat(pulled.number("chunks")).isEqualTo(first.number("totalChunks"));
    assertSameLayer("desk");
    assertThat(ids(other("ls", "desk", "--json"))).isEqualTo(ids(regen("ls", "desk", "--json")));

    assertThat(regen("push", "desk", "--store", store).out()).contains("was there already, all ");
    assertThat(other("pull", "desk", "--store", store).out()).contains("already");

    Files.writeString(directory.resolve("tree/d3/f3"), "changed");
    importTree("desk", directory.resolve("tree"));
    JsonObject second = done(regen("push", "desk", "--store", store, "--json"));
    assertThat(second.number("bytes")).isLessThan(first.number("bytes") / 10);
    JsonObject again = done(other("pull", "desk", "--store", store, "--json"));
    assertThat(again.number("bytes")).isEqualTo(second.number("bytes"));
    assertSameLayer("desk");
    assertThat(ids(other("ls", "desk", "--json"))).isEqualTo(ids(regen("ls", "desk", "--json")));
    assertThat(other("events").out()).contains("pulled");
  }

  @Test
  void anOlderSnapshotCanBePulledByItsAddressAndTheStoreLists() throws IOException {
    String store = "dir:" + directory.resolve("store");
    importFiles("desk", 1, 20, 1000);
    done(regen("push", "desk", "--store", store, "--json"));
    importFiles("desk", 2, 20, 1000);
    done(regen("push", "desk@latest", "--store", store, "--json"));
    importFiles("shed", 3, 20, 1000);
    done(regen("push", "shed", "--store", store, "--json"));

    List<String> ids = ids(regen("ls", "desk", "--json"));
    assertThat(ids(other("ls", "desk", "--store", store, "--json"))).isEqualTo(ids);
    assertThat(other("ls", "--store", store).out()).contains("shed", "desk", "complete");
    assertThat(done(other("pull", "desk@-1", "--store", store, "--json")).string("snapshot"))
        .isEqualTo(ids.getFirst());
    done(other("pull", "desk@" + ids.getLast().substring(0, 8), "--store", store, "--json"));
    assertThat(ids(other("ls", "desk", "--json"))).isEqualTo(ids);
    assertThat(other("pull", "desk@-1", "--store", store).out()).contains("regen restore desk");

    assertThat(other("pull", "none", "--store", store).code()).isEqualTo(3);
    assertThat(other("pull", "desk@-7", "--store", store).code()).isEqualTo(3);
    assertThat(other("ls", "none", "--store", store).code()).isEqualTo(3);
    assertThat(regen("push", "none", "--store", store).code()).isEqualTo(3);
  }

  @Test
  void whatIsWrongWithAStoreIsSaid() throws IOException {
    importFiles("desk", 1, 3, 1000);
    Result none = regen("push", "desk");
    assertThat(none.code()).isEqualTo(2);
    assertThat(none.err()).contains("no store is named", "--store URL").hasLineCount(1);
    assertThat(regen("push", "desk", "--store", "/srv").err()).contains("it is dir:/path");
    assertThat(regen("push", "desk", "--store", "s3://b").err()).contains("s3://BUCKET/PREFIX");
    Result away = regen("push", "desk", "--store", "http://127.0.0.1:1");
    assertThat(away.code()).isEqualTo(1);
    assertThat(away.err())
        .contains("http://127.0.0.1:1: nobody listens there", "'regen storage'")
        .doesNotContain("goes on");
    Path file = Files.createFile(directory.resolve("file"));
    Result noDirectory = regen("push", "desk", "--store", "dir:" + file);
    assertThat(noDirectory.code()).isEqualTo(1);
    assertThat(noDirectory.err())
        .endsWith("regen: " + file + " is a file; a store is a directory\n");
  }

  @Test
  void whoOnlyLooksMakesNoStore() throws IOException {
    Path mistyped = directory.resolve("mistyped");
    Path empty = Files.createDirectory(directory.resolve("empty"));
    for (String[] command :
        List.of(
            new String[] {"ls", "--store", "dir:" + mistyped},
            new String[] {"ls", "desk", "--store", "dir:" + empty},
            new String[] {"pull", "desk", "--store", "dir:" + mistyped})) {
      Result result = other(command);
      assertThat(result.code()).as(String.join(" ", command)).isEqualTo(3);
      assertThat(result.err()).contains("there is no store at " + directory);
    }
    assertThat(mistyped).doesNotExist();
    assertThat(empty).isEmptyDirectory();
  }

  @Test
  void encryptedSnapshotsTravelAsTheyAreAndAreReadWhereTheKeyIs() throws IOException {
    Path store = directory.resolve("store");
    regen("key", "new");
    assertThat(regen("encrypt", "desk", "--new").code()).isZero();
    Path tree = Files.createDirectories(directory.resolve("tree"));
    Files.writeString(tree.resolve(MARKER), MARKER.repeat(50));
    importTree("desk", tree);

    done(regen("push", "desk", "--store", "dir:" + store, "--json"));
    done(other("pull", "desk", "--store", "dir:" + store, "--json"));

    assertThat(array(other("ls", "desk", "--json")).getFirst().string("state")).isEqualTo("locked");
    assertThat(array(other("ls", "--json")).getFirst().flag("encrypted"))
        .as("captures to come are encrypted too")
        .isTrue();
    assertThat(filesWith(store)).isEmpty();
    assertThat(filesWith(homeB())).isEmpty();
    Files.createDirectories(directory.resolve("b-keys"));
    Files.copy(directory.resolve("keys/keys.json"), directory.resolve("b-keys/keys.json"));
    assertSameLayer("desk");
  }

  @Test
  void twoCopiesOnThreeServersOutliveAnyOneOfThem() throws IOException {
    StringBuilder url = new StringBuilder();
    for (String name : List.of("one", "two", "three")) {
      url.append(url.isEmpty() ? "" : ",").append(server(name).uri());
    }
    String store = url + "?replicas=2";
    importFiles("desk", 1, 100, 20_000);
    assertThat(regen("push", "desk", "--store", store).err()).doesNotContain("passed over");

    servers.get(1).kill();
    Result pulled = other("pull", "desk", "--store", store);
    assertThat(pulled.code()).as(pulled.err()).isZero();
    assertThat(pulled.err()).contains("passed over: " + servers.get(1).uri());
    assertThat(other("events").out()).contains("degraded");
    assertSameLayer("desk");

    importFiles("desk", 2, 100, 20_000);
    assertThat(regen("push", "desk", "--store", store).code()).isZero();
    assertThat(other("pull", "desk", "--store", store).code()).isZero();
    assertSameLayer("desk");

    servers.get(0).kill();
    importFiles("desk", 3, 100, 1000);
    Result refused = regen("push", "desk", "--store", store);
    assertThat(refused.code()).as("names could be hidden").isEqualTo(1);
    assertThat(refused.err()).contains(servers.get(0).uri().toString());
  }

  @Test
  void theAgentsOwnStoreIsTakenWhereNoneIsNamed() throws IOException {
    Path store = directory.resolve("store");
    importFiles("desk", 1, 3, 1000);
    agent.close();
    agent =
        new Agent(
            AgentConfiguration.of(new JsonObject().with("store", "dir:" + store), environment()),
            environment(),
            java.time.InstantSource.system());
    agent.start();
    assertThat(regen("push", "desk").code()).isZero();
    assertThat(regen("ls", "--stored").out()).contains("desk");
    assertThat(regen("jobs", "--json").out()).contains("\"push\"");
  }

  private StorageProcess server(String name) throws IOException {
    StorageProcess server = StorageProcess.start(directory.resolve(name));
    servers.add(server);
    return server;
  }

  private static List<Path> filesWith(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> {
            try {
              return Files.readString(file, StandardCharsets.ISO_8859_1).contains(MARKER);
            } catch (IOException e) {
              throw new AssertionError(e);
            }
          })
          .toList();
    }
  }
}
