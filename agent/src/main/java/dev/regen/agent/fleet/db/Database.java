package dev.regen.agent.fleet.db;

import dev.regen.runtime.Why;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.postgresql.Driver;
import org.postgresql.PGConnection;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/** What is different between the databases. */
public sealed interface Database {
  /** The channel on which PostgreSQL tells all managers that something has changed. */
  String CHANNEL = "regen_fleet";

  /** Those of one transaction are serialized by this, whichever manager they are of. */
  long LOCK = 0x726567656e_0001L;

  int BUSY_MILLIS = 10_000;
  int CACHE_KIBIBYTES = 8 << 10;
  int READER_CACHE_KIBIBYTES = 2 << 10;

  static Database of(FleetUrl url) {
    return switch (url) {
      case FleetUrl.Sqlite sqlite -> new OfFile(sqlite.file());
      case FleetUrl.Postgresql server -> new OfServer(server);
    };
  }

  /** A connection for changes: each transaction is begun with {@link #begin}. */
  Session writer() throws SQLException, IOException;

  Session reader() throws SQLException, IOException;

  /** From here to the end of the transaction nobody else changes anything. */
  void begin(Session session) throws SQLException;

  /** Others are told of the changes of this transaction when it has ended. */
  void tell(Session session) throws SQLException;

  /** Waits until another manager has changed something, at most so long; may return for nothing. */
  void await(Session session, int millis) throws SQLException, InterruptedException;

  /** SQLite in a file: everything is forced to disk before a transaction has ended. */
  record OfFile(Path file) implements Database {
    @Override
    public Session writer() throws SQLException, IOException {
      Path directory = file.getParent();
      if (directory != null) {
        Files.createDirectories(directory);
      }
      if (!Files.exists(file)) {
        // The tokens in it are hashed; what the fleet does is nobody's business all the same.
        Files.createFile(
            file,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      }
      return open(CACHE_KIBIBYTES);
    }

    @Override
    public Session reader() throws SQLException {
      return open(READER_CACHE_KIBIBYTES);
    }

    @Override
    public void begin(Session session) throws SQLException {
      // Left to it, the driver would begin the next with the end of each, and keep others out.
      session.execute("BEGIN IMMEDIATE");
    }

    @Override
    public void tell(Session session) {
      // One manager alone uses the file.
    }

    @Override
    public void await(Session session, int millis) throws InterruptedException {
      Thread.sleep(millis);
    }

    private Session open(int cacheKibibytes) throws SQLException {
      SQLiteConfig config = new SQLiteConfig();
      config.setJournalMode(SQLiteConfig.JournalMode.WAL);
      config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
      config.setBusyTimeout(BUSY_MILLIS);
      config.setCacheSize(-cacheKibibytes);
      SQLiteDataSource source = new SQLiteDataSource(config);
      source.setUrl("jdbc:sqlite:" + file);
      return new Session(source.getConnection());
    }
  }

  /** PostgreSQL. */
  record OfServer(FleetUrl.Postgresql url) implements Database {
    @Override
    public Session writer() throws SQLException, IOException {
      Session session = open();
      session.connection().setAutoCommit(false);
      return session;
    }

    @Override
    public Session reader() throws SQLException, IOException {
      return open();
    }

    @Override
    public void begin(Session session) throws SQLException {
      // So what a transaction has numbered is seen before what comes later, and reading before
      // writing needs no locks of rows.
      session.number("SELECT 1 FROM (SELECT pg_advisory_xact_lock(?)) AS taken", LOCK);
    }

    @Override
    public void tell(Session session) throws SQLException {
      session.number("SELECT 1 FROM (SELECT pg_notify(?, '')) AS told", CHANNEL);
    }

    @Override
    public void await(Session session, int millis) throws SQLException {
      Connection connection = session.connection();
      try (Statement listen = connection.createStatement()) {
        listen.execute("LISTEN " + CHANNEL);
      }
      connection.unwrap(PGConnection.class).getNotifications(millis);
    }

    private Session open() throws SQLException, IOException {
      Properties properties = new Properties();
      properties.setProperty("user", url.user());
      String secret = url.secret();
      if (secret != null) {
        properties.setProperty("password", secret);
      }
      properties.setProperty("ApplicationName", "regen manager");
      properties.setProperty("connectTimeout", "10");
      properties.setProperty("socketTimeout", "60");
      properties.setProperty("tcpKeepAlive", "true");
      properties.setProperty("reWriteBatchedInserts", "true");
      properties.setProperty("prepareThreshold", "3");
      String host = url.host().contains(":") ? "[" + url.host() + "]" : url.host();
      Connection connection =
          new Driver()
              .connect(
                  "jdbc:postgresql://" + host + ":" + url.port() + "/" + url.name(), properties);
      if (connection == null) {
        throw new SQLException("no connection");
      }
      return new Session(connection);
    }
  }

  /** As the program tells it: nothing of a password is in what drivers say. */
  static IOException failure(Object url, @Nullable Throwable cause) {
    return new IOException(
        "the fleet's database " + url + ": " + (cause == null ? "closed" : Why.of(cause)), cause);
  }
}
