package dev.regen.agent.fleet;

import dev.regen.agent.api.Role;
import dev.regen.agent.fleet.db.FleetUrl;
import dev.regen.agent.fleet.db.Writer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/** Tokens in files, for whoever may write to the database: a fleet begins with them. */
public final class FirstTokens implements AutoCloseable {
  private static final String ADMIN = "admin";
  private static final String BY = "local";

  private final Writer writer;

  public FirstTokens(FleetUrl url, InstantSource clock) throws IOException {
    writer = new Writer(url, clock, () -> {});
  }

  /** An administrator's, unless the file is there. */
  public void admin(Path file) throws IOException, InterruptedException {
    make(file, edit -> FleetTokens.add(edit, ADMIN, Role.ADMIN, BY));
  }

  /** A node's, which is added if it is none yet, unless the file is there. */
  public void node(String name, Path file) throws IOException, InterruptedException {
    String checked = Names.name(name);
    make(
        file,
        edit -> {
          String sql = "SELECT count(*) FROM nodes WHERE name = ?";
          return edit.session().number(sql, checked) == 0
              ? Nodes.add(edit, checked, true, BY)
              : Nodes.renew(edit, checked, BY);
        });
  }

  @Override
  public void close() {
    writer.close();
  }

  private void make(Path file, Writer.Work<@Nullable String> token)
      throws IOException, InterruptedException {
    if (Files.exists(file)) {
      return;
    }
    Path directory = file.toAbsolutePath().getParent();
    if (directory != null) {
      Files.createDirectories(directory);
    }
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try {
      Files.writeString(file, writer.write(token) + "\n");
    } catch (IOException | RuntimeException e) {
      Files.delete(file);
      throw e;
    }
  }
}
