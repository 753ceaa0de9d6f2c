package dev.regen.agent.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EngineRegistrationTest {
  private static final Path RUNTIME = Path.of("/opt/regen-runtime");

  @TempDir Path directory;
  private Path file;
  private EngineRegistration registration;

  @BeforeEach
  void open() {
    file = directory.resolve("etc/docker/daemon.json");
    registration =
        new EngineRegistration(new LocalDisk(), file, directory.resolve("registration.json"));
  }

  @Test
  void aFileThatWasNotThereIsGoneAgainAndItsDirectoryToo() throws IOException {
    Files.createDirectories(directory.resolve("etc"));

    assertThat(registration.enter(RUNTIME)).isTrue();
    assertThat(registration.registered()).isEqualTo(RUNTIME.toString());
    assertThat(registration.enter(RUNTIME)).isFalse();

    assertThat(registration.takeBack()).isTrue();
    assertThat(directory.resolve("etc")).isEmptyDirectory();
    assertThat(registration.takeBack()).isFalse();
  }

  @Test
  void theVeryBytesComeBackWithTheirModeIfNobodyChangedThemMeanwhile() throws IOException {
    byte[] before = write("{\n   \"debug\" :true,\t\"n\": 1.50\n}");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));

    registration.enter(RUNTIME);
    assertThat(registration.registered()).isEqualTo(RUNTIME.toString());
    assertThat(Files.getPosixFilePermissions(file))
        .isEqualTo(PosixFilePermissions.fromString("rw-r-----"));
    registration.takeBack();

    assertThat(Files.readAllBytes(file)).isEqualTo(before);
    assertThat(Files.getPosixFilePermissions(file))
        .isEqualTo(PosixFilePermissions.fromString("rw-r-----"));
  }

  @Test
  void whatSomebodyChangedMeanwhileStays() throws IOException {
    write("{\"debug\": true}");
    registration.enter(RUNTIME);
    Files.writeString(file, Files.readString(file).replace("true", "false"));

    registration.takeBack();

    assertThat(Files.readString(file)).isEqualTo("{\"debug\": false}");
  }

  @Test
  void runtimesThatWereThereStayThoughEmpty() throws IOException {
    byte[] before = write("{\"runtimes\": {}, \"debug\": true}");
    registration.enter(RUNTIME);
    Files.writeString(file, Files.readString(file).replace("true", "false"));

    registration.takeBack();

    assertThat(Files.readString(file))
        .isEqualTo(new String(before, StandardCharsets.UTF_8).replace("true", "false"));
  }

  @Test
  void aBrokenFileIsRefusedAndLeftAsItIs() throws IOException {
    byte[] before = write("{\"debug\": true,}");

    assertThatThrownBy(() -> registration.enter(RUNTIME))
        .isInstanceOf(RegenException.Refused.class)
        .hasMessageContaining(file.toString());

    assertThat(Files.readAllBytes(file)).isEqualTo(before);
    assertThat(names(directory)).containsExactly("etc");
    assertThat(names(directory.resolve("etc/docker"))).containsExactly("daemon.json");
  }

  @Test
  void aSymbolicLinkIsFollowedAndStaysOne() throws IOException {
    Path real = directory.resolve("real.json");
    Files.createDirectories(file.getParent());
    Files.writeString(real, "{}");
    Files.createSymbolicLink(file, real);

    registration.enter(RUNTIME);

    assertThat(file).isSymbolicLink();
    assertThat(Files.readString(real)).contains(RUNTIME.toString());
  }

  private byte[] write(String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    return Files.readAllBytes(file);
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> names = Files.list(directory)) {
      return names.map(name -> name.getFileName().toString()).toList();
    }
  }
}
