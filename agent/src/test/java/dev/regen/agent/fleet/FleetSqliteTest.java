package dev.regen.agent.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A fleet in a file. */
final class FleetSqliteTest extends FleetContract {
  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path files;

  @Override
  String database(Path directory) {
    return "sqlite:" + directory.resolve("fleet.db");
  }

  @Test
  void firstTokensAreMadeOnce() throws Exception {
    Path node = files.resolve("made/node");
    Path admin = files.resolve("admin");
    for (int i = 0; i < 2; i++) {
      try (FirstTokens tokens = new FirstTokens(url(), InstantSource.system())) {
        tokens.node("n1", node);
        tokens.admin(admin);
      }
    }

    assertThat(admin().as(Files.readString(admin).strip()).get("/v1/tokens").status())
        .isEqualTo(200);
    connect("n1", Files.readString(node).strip(), 0).close();
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(node)))
        .isEqualTo("rw-------");
  }
}
