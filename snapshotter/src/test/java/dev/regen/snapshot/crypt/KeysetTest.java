package dev.regen.snapshot.crypt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.durable.Records;
import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KeysetTest {
  private static final KeyId MISSING = new KeyId("00000000000000ff");

  @TempDir private Path directory;
  private Path file;
  private Keyset keyset;

  @BeforeEach
  void name() {
    assumeTrue("root".equals(System.getProperty("user.name")), "a keyset belongs to root");
    file = directory.resolve("new/keys.json");
    keyset = open();
  }

  @Test
  void newKeyEncryptsAndTheOneBeforeStays() throws IOException {
    Keyset.Listed first = keyset.add();
    Keyset.Listed second = keyset.add();

    Keyset again = open();
    assertThat(again.active().id()).isEqualTo(second.id());
    assertThat(again.key(first.id()).id()).isEqualTo(first.id());
    assertThat(again.list())
        .containsExactly(
            new Keyset.Listed(first.id(), Instant.EPOCH, false),
            new Keyset.Listed(second.id(), Instant.EPOCH, true));
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
  }

  @Test
  void missingFileAndMissingKeyAreNamedWithWhatToDo() throws IOException {
    assertThatThrownBy(() -> keyset.active())
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("'regen key new'");
    assertThatThrownBy(() -> keyset.key(MISSING))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining(MISSING.hex())
        .hasMessageContaining(file + ", which is not there")
        .hasMessageContaining("put the file back from your copy");
    keyset.add();
    assertThatThrownBy(() -> keyset.key(MISSING))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining(MISSING.hex())
        .hasMessageContaining("'regen key add COPY'");
  }

  @Test
  void keysOfACopyAreTakenBesideThoseThatAreHere() throws IOException {
    KeyId old = keyset.add().id();
    Path copy = directory.resolve("copy");
    Files.move(file, copy);
    KeyId young = keyset.add().id();

    assertThat(keyset.addFrom(copy)).extracting(Keyset.Listed::id).containsExactly(old);

    Keyset again = open();
    assertThat(again.list())
        .containsExactly(
            new Keyset.Listed(old, Instant.EPOCH, false),
            new Keyset.Listed(young, Instant.EPOCH, true));
    assertThat(again.key(old).id()).isEqualTo(old);
    assertThat(keyset.addFrom(copy)).isEmpty();
  }

  @Test
  void copyIsTakenWholeWhereThereIsNoFile() throws IOException {
    keyset.add();
    KeyId active = keyset.add().id();
    Path copy = directory.resolve("copy");
    Files.move(file, copy);

    assertThat(keyset.addFrom(copy)).hasSize(2);

    assertThat(open().active().id()).isEqualTo(active);
    assertThat(Files.readAllBytes(file)).isEqualTo(Files.readAllBytes(copy));
    Path none = directory.resolve("none");
    assertThatThrownBy(() -> keyset.addFrom(none)).isInstanceOf(RegenException.NotFound.class);
    Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rw-r--r--"));
    assertThatThrownBy(() -> keyset.addFrom(copy)).hasMessageContaining("chmod 600 " + copy);
  }

  @Test
  void fileThatIsTakenAwayAndPutBackIsNoticedAtOnce() throws IOException {
    KeyId id = keyset.add().id();
    Path copy = directory.resolve("copy");
    Files.move(file, copy);

    assertThatThrownBy(() -> keyset.key(id)).isInstanceOf(RegenException.Refused.class);
    Files.move(copy, file);

    assertThat(keyset.key(id).id()).isEqualTo(id);
  }

  @Test
  void fileThatOthersCouldReadIsNotUsed() throws IOException {
    keyset.add();
    for (String mode : List.of("rw-r-----", "rw----r--", "rw--w----")) {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
      assertThatThrownBy(() -> open().active())
          .as(mode)
          .isInstanceOf(RegenException.Refused.class)
          .hasMessageContaining("chmod 600 " + file);
    }
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    Files.setAttribute(file, "unix:uid", 1234);
    assertThatThrownBy(() -> open().active()).hasMessageContaining("chown root " + file);
  }

  @Test
  void symbolicLinkAndDirectoryAreNotUsed() throws IOException {
    keyset.add();
    Path link = Files.createSymbolicLink(directory.resolve("link"), file);

    for (Path path : List.of(link, directory)) {
      assertThatThrownBy(() -> new Keyset(records(), path, InstantSource.system()).active())
          .isInstanceOf(RegenException.Refused.class)
          .hasMessageContaining(path.toString());
    }
  }

  @Test
  void damagedFileIsNamedAndNeverQuoted() throws IOException {
    KeyId id = keyset.add().id();
    JsonObject good = JsonObject.parse(Files.readAllBytes(file));
    String secret = good.objects("keys").getFirst().string("key");
    String text = good.toString();
    for (String bad :
        List.of(
            "",
            text.substring(0, text.length() - 2),
            text.replace(secret, secret + "!"),
            text.replace(secret, secret.substring(4)),
            text.replace("\"key\":\"", "\"kez\":\""),
            text.replace("\"active\":\"" + id, "\"active\":\"" + MISSING),
            text.replace("\"version\":1", "\"version\":\"" + secret + "\""),
            text.replace("created\":\"", "created\":\"" + secret),
            text + secret,
            " ".repeat(100_000))) {
      Files.writeString(file, bad);
      assertThatThrownBy(() -> open().active())
          .as("%.60s", bad)
          .isInstanceOf(RegenException.Refused.class)
          .hasMessageContaining(file.toString())
          .message()
          .doesNotContain(secret.substring(0, 8));
    }
    Files.writeString(file, text.replace("\"version\":1", "\"version\":7"));
    assertThatThrownBy(() -> open().active()).hasMessageContaining("version 7");
  }

  @Test
  void fullFileTakesNoMoreKeys() throws IOException {
    for (int i = 0; i < Keyset.KEYS_MAX; i++) {
      keyset.add();
    }
    assertThatThrownBy(() -> keyset.add()).isInstanceOf(RegenException.Refused.class);
    assertThat(open().list()).hasSize(Keyset.KEYS_MAX);
  }

  private Keyset open() {
    return new Keyset(records(), file, InstantSource.fixed(Instant.EPOCH));
  }

  private static Records records() {
    return new Records(new LocalDisk());
  }
}
