package dev.regen.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.agent.rules.Action;
import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * A page shows what {@code actions} lists, so every one of these has to work, and every other to be
 * refused: each action is tried on a snapshot in each state, those that are not shown first.
 */
final class ActionsShownTest extends AgentWithoutEngine {
  /** What ends the snapshot, or its state, comes last. */
  private static final List<Action> TRIED =
      List.of(
          Action.SHOW,
          Action.DIFF,
          Action.EXPORT,
          Action.MOUNT,
          Action.PUSH,
          Action.RESTORE,
          Action.PIN,
          Action.UNPIN,
          Action.ENCRYPT,
          Action.DECRYPT,
          Action.CANCEL,
          Action.REMOVE);

  @Override
  Map<String, String> environment() {
    Map<String, String> environment = new HashMap<>(super.environment());
    environment.put("REGEN_KEYSET", directory.resolve("keys/keys.json").toString());
    return environment;
  }

  @Test
  void completeOnesDoAllThatIsShown() throws Exception {
    List<String> ids = twoSnapshots();

    assertThat(row(ids.getFirst()).string("state")).isEqualTo("complete");
    triesAll(ids.getFirst());
  }

  @Test
  void lockedOnesDoAllThatIsShown() throws Exception {
    List<String> ids = twoSnapshots();
    assertThat(regen("encrypt", "desk").code()).isZero();
    Files.move(directory.resolve("keys/keys.json"), directory.resolve("keys/away.json"));

    assertThat(row(ids.getFirst()).string("state")).isEqualTo("locked");
    triesAll(ids.getFirst());
  }

  @Test
  void damagedOnesDoAllThatIsShown() throws Exception {
    List<String> ids = twoSnapshots();
    Files.writeString(manifest(ids.getFirst()), "no manifest");

    assertThat(row(ids.getFirst()).string("state")).isEqualTo("damaged");
    triesAll(ids.getFirst());
  }

  @Test
  void uploadingOnesDoAllThatIsShown() throws Exception {
    List<String> ids = twoSnapshots();
    Path arriving = Files.createDirectories(directory.resolve("home/arriving"));
    Path manifest = manifest(ids.getFirst());
    Files.copy(
        manifest, arriving.resolve(manifest.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
    assertThat(regen("rm", "desk@" + ids.getFirst()).code()).isZero();

    assertThat(row(ids.getFirst()).string("state")).isEqualTo("uploading");
    triesAll(ids.getFirst());
    assertThat(array(regen("ls", "desk", "--json"))).hasSize(1);
  }

  @Test
  void pinnedOnesAreNotShownAsRemovable() throws Exception {
    List<String> ids = twoSnapshots();
    assertThat(regen("pin", "desk@" + ids.getFirst()).code()).isZero();

    assertThat(row(ids.getFirst()).strings("actions")).contains("unpin").doesNotContain("remove");
    assertThat(attempt(Action.REMOVE, ids.getFirst())).startsWith("409").contains("pinned");
    assertThat(queue().strings("actions")).contains("push").doesNotContain("remove");
    assertThat(call("DELETE", "/v1/queues/desk", "")).startsWith("409").contains("pinned");
    assertThat(regen("unpin", "desk@" + ids.getFirst()).code()).isZero();
    assertThat(row(ids.getFirst()).strings("actions")).contains("remove");
    assertThat(queue().strings("actions")).contains("remove");
    assertThat(call("DELETE", "/v1/queues/desk", "")).startsWith("200");
  }

  private void triesAll(String id) throws Exception {
    List<String> shown = row(id).strings("actions");
    assertThat(shown).isSubsetOf(TRIED.stream().map(Action::word).toList());
    for (Action action : TRIED) {
      if (!shown.contains(action.word())) {
        assertThat(attempt(action, id)).as("%s is not shown", action).doesNotStartWith("2");
      }
    }
    assertThat(row(id).strings("actions"))
        .as("nothing that was refused has changed it")
        .isEqualTo(shown);
    for (Action action : TRIED) {
      if (shown.contains(action.word())) {
        // What is chosen for the next run stays: so that choice is taken back first.
        if (action == Action.REMOVE && shown.contains("restore")) {
          assertThat(regen("restore", "desk", "--at", "latest").code()).isZero();
        }
        assertThat(attempt(action, id)).as("%s is shown", action).startsWith("2");
      }
    }
  }

  /** Its status and answer; where that is a job, what became of it. */
  private String attempt(Action action, String id) throws Exception {
    String at = "/v1/queues/desk/snapshots/" + id;
    String answer =
        switch (action) {
          case SHOW -> call("GET", at, "");
          case DIFF -> call("GET", at + "/diff?to=" + id, "");
          case EXPORT -> call("GET", at + "/archive", "");
          case MOUNT -> call("POST", at + "/mount", "");
          case PUSH ->
              call(
                  "POST",
                  "/v1/queues/desk/push",
                  "{\"noImage\":true,\"snapshot\":\"%s\",\"store\":\"dir:%s\"}"
                      .formatted(id, directory.resolve("remote")));
          case RESTORE ->
              call("POST", "/v1/containers/desk/restore", "{\"at\":\"%s\"}".formatted(id));
          case PIN -> call("POST", at + "/pin", "");
          case UNPIN -> call("POST", at + "/unpin", "");
          case ENCRYPT -> call("POST", at + "/encryption", "{\"encrypted\":true}");
          case DECRYPT -> call("POST", at + "/encryption", "{\"encrypted\":false}");
          case CANCEL -> call("POST", at + "/cancel", "");
          case REMOVE -> call("DELETE", at, "");
          default -> throw new AssertionError(action);
        };
    return answer.startsWith("202") ? ended(answer) : answer;
  }

  private String ended(String answer) throws Exception {
    JsonObject job = JsonObject.parse(answer.substring(4));
    while (!job.has("endedAt")) {
      String path = "/v1/jobs/" + job.string("id") + "?waitMillis=1000";
      job = JsonObject.parse(call("GET", path, "").substring(4));
    }
    return job.string("state").equals("success") ? "200 " + job : "409 " + job;
  }

  private JsonObject row(String id) throws IOException {
    return array(regen("ls", "desk", "--json")).stream()
        .filter(row -> id.equals(row.members().get("id")))
        .findFirst()
        .orElseThrow();
  }

  private JsonObject queue() throws IOException {
    return array(regen("ls", "--json")).getFirst();
  }

  private List<String> twoSnapshots() throws Exception {
    assertThat(regen("key", "new").code()).isZero();
    spool("desk", NINE, "one");
    awaitIdle();
    spool("desk", NINE.plusSeconds(60), "two");
    awaitIdle();
    List<String> ids = new ArrayList<>();
    for (JsonObject row : array(regen("ls", "desk", "--json"))) {
      ids.add(row.string("id"));
    }
    assertThat(ids).hasSize(2);
    return ids;
  }

  private Path manifest(String id) throws IOException {
    try (var files = Files.walk(directory.resolve("home/snapshots"))) {
      return files
          .filter(file -> String.valueOf(file.getFileName()).equals(id + ".json"))
          .findFirst()
          .orElseThrow();
    }
  }

  /** By curl, as somebody without Regen's own client would. */
  private String call(String method, String path, String body) throws Exception {
    Path out = directory.resolve("answer");
    List<String> words =
        new ArrayList<>(
            List.of(
                "curl",
                "-s",
                "--max-time",
                "30",
                "-X",
                method,
                "-o",
                out.toString(),
                "-w",
                "%{http_code} ",
                "--unix-socket",
                directory.resolve("run/regen.sock").toString()));
    if (!body.isEmpty()) {
      words.addAll(List.of("--data-binary", body));
    }
    words.add("http://regen" + path);
    Files.deleteIfExists(out);
    Process curl = new ProcessBuilder(words).redirectErrorStream(true).start();
    String status = new String(curl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(curl.waitFor()).as(status).isZero();
    return status + (Files.exists(out) ? Files.readString(out, StandardCharsets.ISO_8859_1) : "");
  }
}
