package dev.regen.agent.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who has a token, over restarts, removals, time, and a file that somebody has damaged. */
final class TokensTest {
  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  private Instant now = Instant.parse("2026-11-23T09:00:00Z");

  @Test
  void tokenIsKnownAfterARestartAndIsNotInTheFile() throws IOException {
    String secret = tokens().add("ann", Role.OPERATE, null);

    Token found = Objects.requireNonNull(tokens().find(secret));
    assertThat(found.name()).isEqualTo("ann");
    assertThat(found.role()).isEqualTo(Role.OPERATE);
    assertThat(secret).matches("rgn_[A-Za-z0-9_-]{43}");
    assertThat(Files.readString(file())).doesNotContain(secret.substring(4, 14));
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
        .isEqualTo("rw-------");
  }

  @Test
  void wrongExpiredAndRemovedTokensAreNobodys() throws IOException {
    Tokens tokens = tokens();
    String ann = tokens.add("ann", Role.VIEW, Duration.ofDays(1));
    String bob = tokens.add("bob", Role.VIEW, null);

    assertThat(tokens.find(ann)).isNotNull();
    now = now.plus(Duration.ofDays(1));
    assertThat(tokens.find(ann)).isNull();
    assertThat(tokens.find(bob + "x")).isNull();
    assertThat(tokens.find("")).isNull();
    tokens().remove("bob");
    assertThat(tokens.find(bob)).as("removed by another process").isNull();
  }

  @Test
  void namesAreUsedOnceAndHaveAForm() throws IOException {
    Tokens tokens = tokens();
    tokens.add("ann", Role.VIEW, null);

    assertThatThrownBy(() -> tokens.add("ann", Role.VIEW, null))
        .isInstanceOf(RegenException.Refused.class);
    assertThatThrownBy(() -> tokens.add("a\nb", Role.VIEW, null))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> tokens.remove("bob")).isInstanceOf(RegenException.NotFound.class);
  }

  @Test
  void nobodyIsKnownWhileTheFileCannotBeRead() throws IOException {
    Tokens tokens = tokens();
    String secret = tokens.add("ann", Role.ADMIN, null);
    String good = Files.readString(file());

    Files.writeString(file(), "{\"tokens\":[{\"name\":1}]}");
    assertThatThrownBy(() -> tokens.find(secret)).isInstanceOf(RegenException.Damaged.class);
    assertThatThrownBy(() -> tokens.add("bob", Role.VIEW, null))
        .isInstanceOf(RegenException.Damaged.class);
    Files.writeString(file(), good);
    assertThat(tokens.find(secret)).isNotNull();
  }

  private Tokens tokens() {
    return new Tokens(new LocalDisk(), file(), () -> now);
  }

  private Path file() {
    return directory.resolve("tokens.json");
  }
}
