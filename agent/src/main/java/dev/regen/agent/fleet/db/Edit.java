package dev.regen.agent.fleet.db;

import dev.regen.runtime.json.JsonObject;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * What one caller changes, in a transaction that it shares with others. It looks whether it may
 * before it writes: a change that has written and then fails takes back those of the others, and
 * all are done again, each for itself. So it has no effects but those in the database.
 */
public final class Edit {
  private final Session session;
  private final Numbers numbers;
  private final long now;
  private boolean written;

  /** The numbers of a transaction. */
  static final class Numbers {
    private final Session session;
    private long last = -1;
    private boolean told;

    Numbers(Session session) {
      this.session = session;
    }

    long next() throws SQLException {
      if (last < 0) {
        last = session.number("SELECT value FROM counters WHERE name = 'seq'");
      }
      return ++last;
    }

    void save() throws SQLException {
      if (last >= 0) {
        session.update("UPDATE counters SET value = ? WHERE name = 'seq'", last);
      }
    }

    boolean told() {
      return told;
    }
  }

  Edit(Session session, Numbers numbers, long now) {
    this.session = session;
    this.numbers = numbers;
    this.now = now;
  }

  /** Milliseconds since 1970, the same for the whole change. */
  public long now() {
    return now;
  }

  /** A number that is larger than all before it. */
  public long next() throws SQLException {
    written = true;
    return numbers.next();
  }

  /** For reading. */
  public Session session() {
    return session;
  }

  /** For writing. */
  public Session write() {
    written = true;
    return session;
  }

  /**
   * Tells those who follow what happens.
   *
   * @param wake whether there may be something to send to the node
   */
  public void tell(String kind, @Nullable String node, boolean wake, JsonObject data)
      throws SQLException {
    numbers.told = true;
    write()
        .later(
            "INSERT INTO changes (seq, kind, node, wake, data) VALUES (?, ?, ?, ?, ?)",
            next(),
            kind,
            node,
            wake ? 1 : 0,
            data.toString());
  }

  /** Records who did what. */
  public void audit(String who, String operation, String target, String outcome)
      throws SQLException {
    write()
        .later(
            "INSERT INTO audit (seq, at, who, operation, target, outcome) VALUES (?, ?, ?, ?, ?, ?)",
            next(),
            now,
            who,
            operation,
            target,
            outcome);
  }

  boolean written() {
    return written;
  }
}
