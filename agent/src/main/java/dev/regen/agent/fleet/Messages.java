package dev.regen.agent.fleet;

import dev.regen.agent.fleet.db.Edit;
import dev.regen.runtime.json.JsonObject;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What is on its way to nodes. A message stands in the database until its node has said that it has
 * it; before one is sent it is marked so, in a transaction, and only if the node is connected by
 * that very connection: what is withdrawn is not sent afterwards, and two managers do not send the
 * same.
 */
final class Messages {
  static final String OPERATION = "operation";
  static final String CANCEL = "cancel";
  static final String SETTING = "setting";

  /** Of what one node has not taken; a node that is away must not fill the disk. */
  static final int WAITING_MAX = 1_000;

  private static final int SENT_TOGETHER_MAX = 64;
  private static final int SENT_CHARACTERS_MAX = 256 << 10;

  private Messages() {}

  /** One that may be sent now. */
  record Message(long seq, String kind, String subject, String data, boolean sentBefore) {}

  /**
   * Queues a message.
   *
   * @param subject a job's id, or a setting's place: what an answer of the node names
   */
  static void add(Edit edit, String node, String kind, String subject, JsonObject data)
      throws SQLException {
    edit.write()
        .update(
            "INSERT INTO messages (seq, node, kind, subject, data, asked_at)"
                + " VALUES (?, ?, ?, ?, ?, ?)",
            edit.next(),
            node,
            kind,
            subject,
            data.toString(),
            edit.now());
  }

  static long waiting(Edit edit, String node) throws SQLException {
    return edit.session().number("SELECT count(*) FROM messages WHERE node = ?", node);
  }

  /**
   * Marks what follows {@code after} as sent.
   *
   * @return empty if {@code epoch} is not the node's newest connection
   */
  static Optional<List<Message>> take(Edit edit, String node, long epoch, long after)
      throws SQLException {
    long newest = edit.session().number("SELECT epoch FROM nodes WHERE name = ?", node);
    if (newest != epoch) {
      return Optional.empty();
    }
    List<Message> taken = new ArrayList<>();
    long characters = 0;
    for (Message message :
        edit.session()
            .all(
                row ->
                    new Message(
                        row.number("seq"),
                        row.text("kind"),
                        row.text("subject"),
                        row.text("data"),
                        row.numberOrNull("sent_at") != null),
                "SELECT seq, kind, subject, data, sent_at FROM messages"
                    + " WHERE node = ? AND seq > ? ORDER BY seq LIMIT ?",
                node,
                after,
                SENT_TOGETHER_MAX)) {
      characters += message.data().length();
      if (characters > SENT_CHARACTERS_MAX && !taken.isEmpty()) {
        break;
      }
      taken.add(message);
      if (!message.sentBefore()) {
        mark(edit, message);
      }
    }
    return Optional.of(taken);
  }

  /** At once: others of this transaction look at it. */
  private static void mark(Edit edit, Message message) throws SQLException {
    edit.write().update("UPDATE messages SET sent_at = ? WHERE seq = ?", edit.now(), message.seq());
    if (message.kind().equals(OPERATION)) {
      edit.write()
          .update(
              "UPDATE jobs SET sent_at = ? WHERE id = ? AND sent_at IS NULL",
              edit.now(),
              message.subject());
    }
  }

  /** The node has it, or nobody needs it any more. */
  static void remove(Edit edit, String kind, String subject) throws SQLException {
    edit.write().update("DELETE FROM messages WHERE subject = ? AND kind = ?", subject, kind);
  }

  /** All that is about a job that has ended. */
  static void removeAbout(Edit edit, String subject) throws SQLException {
    edit.write().update("DELETE FROM messages WHERE subject = ?", subject);
  }

  /**
   * The node has recorded all up to {@code last}. Operations are kept until it has reported them:
   * it may have recorded the message and lost the job.
   */
  static void recorded(Edit edit, String node, long last) throws SQLException {
    if (last > edit.session().number("SELECT value FROM counters WHERE name = 'seq'")) {
      return; // The node speaks of another database, which is gone.
    }
    edit.write()
        .update(
            "DELETE FROM messages WHERE node = ? AND seq <= ? AND kind <> ?",
            node,
            last,
            OPERATION);
  }
}
