package dev.regen.agent.fleet.db;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A connection with its prepared statements, for one thread at a time. Statements are constants of
 * the program, so they are few; values are texts, whole numbers or null.
 */
public final class Session implements AutoCloseable {
  private final Connection connection;
  private final Map<String, PreparedStatement> statements = new LinkedHashMap<>();
  private final Set<PreparedStatement> batched = new LinkedHashSet<>();

  Session(Connection connection) {
    this.connection = connection;
  }

  /** Makes a value of a row. */
  @FunctionalInterface
  public interface Reader<T> {
    T read(Row row) throws SQLException;
  }

  /** A row of an answer. */
  public record Row(ResultSet result) {
    public String text(String column) throws SQLException {
      return String.valueOf(result.getString(column));
    }

    public @Nullable String textOrNull(String column) throws SQLException {
      return result.getString(column);
    }

    public long number(String column) throws SQLException {
      return result.getLong(column);
    }

    public @Nullable Long numberOrNull(String column) throws SQLException {
      long value = result.getLong(column);
      return result.wasNull() ? null : value;
    }
  }

  /** All rows; the statement has a limit of its own. */
  public <T> List<T> all(Reader<T> reader, String sql, @Nullable Object... values)
      throws SQLException {
    try (ResultSet result = bound(sql, values).executeQuery()) {
      List<T> rows = new ArrayList<>();
      while (result.next()) {
        rows.add(reader.read(new Row(result)));
      }
      return rows;
    }
  }

  public <T> Optional<T> one(Reader<T> reader, String sql, @Nullable Object... values)
      throws SQLException {
    List<T> rows = all(reader, sql, values);
    return rows.isEmpty() ? Optional.empty() : Optional.of(rows.getFirst());
  }

  /** The number that a statement answers. */
  public long number(String sql, @Nullable Object... values) throws SQLException {
    try (ResultSet result = bound(sql, values).executeQuery()) {
      return result.next() ? result.getLong(1) : 0;
    }
  }

  /** Changes rows; returns how many. */
  public int update(String sql, @Nullable Object... values) throws SQLException {
    return bound(sql, values).executeUpdate();
  }

  /** Changes rows at the end of the transaction, together with others of the same statement. */
  public void later(String sql, @Nullable Object... values) throws SQLException {
    PreparedStatement statement = bound(sql, values);
    statement.addBatch();
    batched.add(statement);
  }

  void flush() throws SQLException {
    for (PreparedStatement statement : batched) {
      statement.executeBatch();
    }
    batched.clear();
  }

  /** The transaction that {@link Database#begin} has begun is durable when this returns. */
  void commit() throws SQLException {
    if (connection.getAutoCommit()) {
      execute("COMMIT");
    } else {
      connection.commit();
    }
  }

  void rollback() throws SQLException {
    for (PreparedStatement statement : batched) {
      statement.clearBatch();
    }
    batched.clear();
    if (connection.getAutoCommit()) {
      execute("ROLLBACK");
    } else {
      connection.rollback();
    }
  }

  void execute(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  Connection connection() {
    return connection;
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }

  private PreparedStatement bound(String sql, @Nullable Object... values) throws SQLException {
    PreparedStatement statement = statements.get(sql);
    if (statement == null) {
      statement = connection.prepareStatement(sql);
      statements.put(sql, statement);
    }
    for (int i = 0; i < values.length; i++) {
      switch (values[i]) {
        case null -> statement.setNull(i + 1, Types.NULL);
        case Long number -> statement.setLong(i + 1, number);
        case Integer number -> statement.setLong(i + 1, number);
        case String text -> statement.setString(i + 1, text);
        case Object other -> throw new IllegalArgumentException("no value: " + other.getClass());
      }
    }
    return statement;
  }
}
