package dev.regen.agent.fleet;

import dev.regen.agent.api.Role;
import dev.regen.agent.api.Secrets;
import dev.regen.agent.fleet.db.FleetUrl;
import dev.regen.agent.fleet.db.Writer;
import dev.regen.runtime.Why;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tokens in files, for whoever may write to the database: a fleet begins with them. */
public final class FirstTokens implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FirstTokens.class);
  private static final String ADMIN = "admin";
  private static final String BY = "local";
  private static final int TOKEN_BYTES_MAX = 1 << 10;

  private final Writer writer;

  public FirstTokens(FleetUrl url, InstantSource clock) throws IOException {
    writer = new Writer(url, clock, () -> {});
  }

  /** An administrator's, unless the file is there; if nobody has its token, the log says so. */
  public void admin(Path file) throws IOException, InterruptedException {
    make(file, "tokens", "hash", edit -> FleetTokens.add(edit, ADMIN, Role.ADMIN, BY));
  }

  /** As above, a node's, which is added if it is none yet. */
  public void node(String name, Path file) throws IOException, InterruptedException {
    String checked = Names.name(name);
    make(
        file,
        "nodes",
        "token_hash",
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

  private void make(Path file, String table, String column, Writer.Work<@Nullable String> token)
      throws IOException, InterruptedException {
    if (Files.exists(file)) {
      tellIfUnknown(file, table, column);
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

  /** Not an error: it may have been ended on purpose, and others go in with theirs. */
  private void tellIfUnknown(Path file, String table, String column)
      throws IOException, InterruptedException {
    String token;
    try (InputStream in = Files.newInputStream(file)) {
      token = new String(in.readNBytes(TOKEN_BYTES_MAX), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      LOG.warn("the token in {} cannot be looked at: {}", file, Why.of(e));
      return;
    }
    String sql = "SELECT count(*) FROM " + table + " WHERE " + column + " = ?";
    if (writer.write(edit -> edit.session().number(sql, Secrets.sha256(token))) == 0) {
      LOG.warn(
          "the token in {} is none of this fleet's, and lets nobody in: it was ended, or is of"
              + " another database; take the file away to have another made",
          file);
    }
  }
}
