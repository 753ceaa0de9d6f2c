package dev.regen.agent;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** {@code encrypt}, {@code decrypt} and {@code key} against a real agent; layers come by import. */
final class EncryptionCommandTest extends AgentWithoutEngine {
  private static final String MARKER = "the-secret-marker-0f9c";

  private final List<String> said = new ArrayList<>();

  @Test
  void nothingIsToldToEncryptWithoutAKey() throws IOException {
    importLayer("desk");

    Result refused = regen("encrypt", "desk");

    assertThat(refused.code()).isEqualTo(4);
    assertThat(refused.err()).contains("keys.json").contains("'regen key new'").hasLineCount(1);
    assertThat(array(regen("ls", "--json")).getFirst().flag("encrypted")).isFalse();
    assertThat(regen("encrypt", "none").code()).isEqualTo(4);
  }

  @Test
  void queueIsEncryptedAndBroughtUnderANewKeyAndDecrypted() throws IOException {
    importLayer("desk");
    String first = newKey();
    assertThat(regen("encrypt", "desk").out()).contains(first).contains("1 changed");
    assertThat(snapshot("desk").flag("encrypted")).isTrue();
    assertThat(regen("show", "desk@latest", "--json").out()).contains(first);
    assertThat(regen("ls").out()).contains("encrypts");
    assertThat(plainFiles()).isEmpty();

    String second = newKey();
    assertThat(regen("encrypt", "desk").out()).contains(second).contains("1 changed");
    assertThat(regen("encrypt", "desk").out()).contains("0 changed");
    assertThat(array(regen("key", "list", "--json")))
        .extracting(key -> key.string("id") + key.flag("active"))
        .containsExactly(first + false, second + true);
    assertThat(regen("export", "desk@latest").out()).contains(MARKER);

    assertThat(regen("decrypt", "desk@latest").code()).isZero();
    assertThat(snapshot("desk").flag("encrypted")).isFalse();
    assertThat(array(regen("ls", "--json")).getFirst().flag("encrypted")).isTrue();
    assertThat(regen("decrypt", "desk").code()).isZero();
    assertThat(array(regen("ls", "--json")).getFirst().flag("encrypted")).isFalse();
    noKeyWasSaid();
  }

  @Test
  void queueThatIsToldBeforeItsFirstSnapshotNeverWritesPlaintext() throws IOException {
    newKey();
    assertThat(regen("encrypt", "desk", "--new").code()).isZero();

    importLayer("desk");

    assertThat(snapshot("desk").flag("encrypted")).isTrue();
    assertThat(plainFiles()).isEmpty();
    assertThat(regen("export", "desk@latest").out()).contains(MARKER);
    noKeyWasSaid();
  }

  @Test
  void lostKeyLocksItsQueueAndNothingElse() throws IOException {
    importLayer("other");
    newKey();
    assertThat(regen("encrypt", "desk", "--new").code()).isZero();
    importLayer("desk");
    Path copy = directory.resolve("copy.json");
    Files.move(keyset(), copy);

    assertThat(snapshot("desk").string("state")).isEqualTo("locked");
    assertThat(regen("ls", "desk").out())
        .containsPattern("locked, encrypted *\n")
        .containsOnlyOnce("locked: key ")
        .containsOnlyOnce(keyset().toString());
    assertThat(regen("show", "desk@latest").code()).isZero();
    Result export = regen("export", "desk@latest", "-o", directory.resolve("o.tar").toString());
    assertThat(export.code()).isEqualTo(4);
    assertThat(regen("verify", "desk").out()).contains("keys.json");
    assertThat(regen("verify", "other").code()).isZero();
    assertThat(regen("export", "other@latest").out()).contains(MARKER);
    assertThat(regen("encrypt", "desk").code()).isEqualTo(4);

    Files.move(copy, keyset());
    assertThat(regen("export", "desk@latest").out()).contains(MARKER);
    assertThat(regen("decrypt", "desk").code()).isZero();
    noKeyWasSaid();
  }

  @Test
  void doctorNamesTheQueuesWhoseKeyIsNotToBeHad() throws IOException {
    importLayer("other");
    assertThat(doctorOfKeys()).startsWith("fits: none needed");
    newKey();
    assertThat(regen("encrypt", "desk", "--new").code()).isZero();
    importLayer("desk");
    assertThat(doctorOfKeys()).isEqualTo("fits: 1 in " + keyset() + ", all that desk need");

    Path copy = directory.resolve("copy.json");
    Files.move(keyset(), copy);
    assertThat(doctorOfKeys())
        .startsWith("does not fit: desk: ")
        .contains("captures wait", "snapshots are locked", keyset() + ", which is not there")
        .doesNotContain("other");

    assertThat(regen("key", "new", "--force").code()).isZero();
    String another = array(regen("key", "list", "--json")).getLast().string("id");
    assertThat(doctorOfKeys())
        .startsWith("does not fit: desk: snapshots are locked")
        .doesNotContain("captures wait", another);

    Files.move(copy, keyset(), StandardCopyOption.REPLACE_EXISTING);
    Files.setPosixFilePermissions(keyset(), PosixFilePermissions.fromString("rw-r--r--"));
    assertThat(doctorOfKeys()).startsWith("does not fit").contains("chmod 600");

    Files.setPosixFilePermissions(keyset(), PosixFilePermissions.fromString("rw-------"));
    assertThat(doctorOfKeys()).startsWith("fits");
    noKeyWasSaid();
  }

  @Test
  void noKeyIsMadeInPlaceOfThoseThatAreMissing() throws IOException {
    importLayer("other");
    newKey();
    assertThat(regen("encrypt", "desk", "--new").code()).isZero();
    importLayer("desk");
    Files.move(keyset(), directory.resolve("copy.json"));

    Result refused = regen("key", "new");

    assertThat(refused.code()).isEqualTo(4);
    assertThat(refused.err())
        .contains("snapshots of desk are not in " + keyset(), "'regen key add COPY'", "--force")
        .hasLineCount(1);
    assertThat(keyset()).doesNotExist();
  }

  @Test
  void whatANewKeyEncryptedIsThereWhenTheOldOnesAreAdded() throws IOException {
    String old = newKey();
    assertThat(regen("encrypt", "desk", "--new").code()).isZero();
    importLayer("desk");
    Path copy = directory.resolve("copy.json");
    Files.move(keyset(), copy);
    assertThat(regen("key", "new", "--force").code()).isZero();
    assertThat(regen("encrypt", "work", "--new").code()).isZero();
    importLayer("work");
    assertThat(regen("export", "desk@latest").err())
        .contains("'regen key add COPY'")
        .doesNotContain("put the file back");

    assertThat(regen("key", "add", copy.toString()).out()).contains("key " + old + " is in ");

    assertThat(regen("export", "desk@latest").out()).contains(MARKER);
    assertThat(regen("export", "work@latest").out()).contains(MARKER);
    assertThat(regen("key", "add", copy.toString()).out()).startsWith("all keys of " + copy);
    assertThat(regen("key", "add", "/none").code()).isEqualTo(3);

    Files.copy(copy, keyset(), StandardCopyOption.REPLACE_EXISTING);
    assertThat(regen("export", "work@latest").code()).isEqualTo(4);
    noKeyWasSaid();
  }

  @Test
  void damagedFileOfKeysLocksAsAMissingOneDoes() throws IOException {
    newKey();
    assertThat(regen("encrypt", "desk", "--new").code()).isZero();
    importLayer("desk");
    Files.writeString(keyset(), "no keys");

    Result export = regen("export", "desk@latest", "-o", directory.resolve("o.tar").toString());

    assertThat(export.code()).isEqualTo(4);
    assertThat(export.err())
        .startsWith("regen: snapshot ")
        .endsWith(
            " is locked: "
                + keyset()
                + " is no keyset: it is not JSON; put it back from your copy\n");
    assertThat(regen("verify", "desk").out()).contains("all whole, 1 locked", "is no keyset");
    assertThat(doctorOfKeys())
        .isEqualTo(
            "does not fit: desk: captures wait, snapshots are locked: "
                + keyset()
                + " is no keyset: it is not JSON; put it back from your copy");
    assertThat(regen("key", "new").code()).isEqualTo(4);
    assertThat(keyset()).hasContent("no keys");
  }

  @Test
  void misuseIsExitCodeTwo() {
    assertThat(regen("encrypt").code()).isEqualTo(2);
    assertThat(regen("encrypt", "desk@latest", "--new").code()).isEqualTo(2);
    assertThat(regen("key").code()).isEqualTo(2);
    assertThat(regen("decrypt", "none").code()).isEqualTo(3);
  }

  private String newKey() throws IOException {
    assertThat(regen("key", "new").out()).contains(keyset().toString());
    return array(regen("key", "list", "--json")).getLast().string("id");
  }

  private Path keyset() {
    return directory.resolve("keys/keys.json");
  }

  private String doctorOfKeys() throws IOException {
    for (JsonObject check : array(regen("doctor", "--json"))) {
      if (check.string("name").equals("encryption keys")) {
        return check.string("verdict") + ": " + check.string("found");
      }
    }
    throw new AssertionError("the doctor said nothing of keys");
  }

  private JsonObject snapshot(String queue) throws IOException {
    return array(regen("ls", queue, "--json")).getLast();
  }

  /** No command, event or log line holds a key. */
  private void noKeyWasSaid() throws IOException {
    regen("events", "--json");
    regen("jobs", "--json");
    regen("show", "desk@latest", "--json");
    for (JsonObject key : JsonObject.parse(Files.readAllBytes(keyset())).objects("keys")) {
      String secret = key.string("key").substring(0, 12);
      assertThat(said).noneMatch(text -> text.contains(secret));
    }
  }

  private void importLayer(String queue) throws IOException {
    Path tree = Files.createDirectories(directory.resolve("tree"));
    Files.writeString(tree.resolve(MARKER), MARKER.repeat(50));
    Path tar = directory.resolve("layer.tar");
    try {
      new ProcessBuilder("tar", "-C", tree.toString(), "-cf", tar.toString(), ".")
          .inheritIO()
          .start()
          .waitFor();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    Result imported = regen("import", queue, tar.toString());
    assertThat(imported.err()).isEmpty();
  }

  /** Files of the home that hold the marker, or a zstd frame. */
  private List<Path> plainFiles() throws IOException {
    try (Stream<Path> files = Files.walk(directory.resolve("home"))) {
      return files.filter(Files::isRegularFile).filter(EncryptionCommandTest::isPlain).toList();
    }
  }

  private static boolean isPlain(Path file) {
    try {
      String text = Files.readString(file, ISO_8859_1);
      return text.contains(MARKER) || text.startsWith("(\u00B5/\u00FD");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  Map<String, String> environment() {
    Map<String, String> environment = new HashMap<>(super.environment());
    environment.put("REGEN_KEYSET", keyset().toString());
    return environment;
  }

  @Override
  Result regen(String... arguments) {
    Result result = super.regen(arguments);
    said.add(result.out());
    said.add(result.err());
    return result;
  }
}
