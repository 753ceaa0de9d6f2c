package dev.regen.agent.cli;

import dev.regen.runtime.QueueName;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;

/**
 * {@code QUEUE} or {@code QUEUE@S}.
 *
 * @param snapshot what stands behind the {@code @}, null if there is none
 */
record QueueAddress(QueueName queue, @Nullable String snapshot) {
  private static final int SNAPSHOT_MAX = 64;

  String queuePath() {
    return "/v1/queues/" + AgentClient.part(queue.value());
  }

  /** The path of the snapshot, the latest if none was named. */
  String snapshotPath() {
    return queuePath() + "/snapshots/" + AgentClient.part(snapshot == null ? "latest" : snapshot);
  }

  /** For commands that are not to guess which snapshot is meant. */
  void requireSnapshot(CommandSpec command) {
    if (snapshot == null) {
      throw new ParameterException(
          command.commandLine(),
          "say which snapshot: " + queue + "@latest, " + queue + "@TIME or " + queue + "@ID");
    }
  }

  /** For commands that are about a queue as a whole. */
  void requireNoSnapshot(CommandSpec command) {
    if (snapshot != null) {
      throw new ParameterException(
          command.commandLine(),
          "this is about a whole queue; say it alone: "
              + queue
              + " ('regen show "
              + this
              + "' shows one snapshot)");
    }
  }

  @Override
  public String toString() {
    return snapshot == null ? queue.value() : queue + "@" + snapshot;
  }

  /** Refuses the beginning of an id that is too short to be one. */
  static void requireLongEnough(String snapshot) {
    if (snapshot.matches("[0-9a-fA-F]{1,3}")) {
      throw new TypeConversionException(
          "'" + snapshot + "' is too short for the beginning of an id: at least 4 characters");
    }
  }

  /** Reads an address from the command line. */
  static final class Converter implements ITypeConverter<QueueAddress> {
    @Override
    public QueueAddress convert(String text) {
      int at = text.indexOf('@');
      // As RFC 3339 has it; a path of the API holds no blank.
      String snapshot =
          at < 0 ? null : text.substring(at + 1).replaceFirst("(?<=[0-9]) (?=[0-9])", "T");
      if (snapshot != null
          && (snapshot.isEmpty()
              || snapshot.length() > SNAPSHOT_MAX
              || !snapshot.matches("[a-zA-Z0-9:.+_-]+"))) {
        throw new TypeConversionException(
            "behind '@' stands latest, -1, a time, or the beginning of an id");
      }
      if (snapshot != null) {
        requireLongEnough(snapshot);
      }
      try {
        return new QueueAddress(new QueueName(at < 0 ? text : text.substring(0, at)), snapshot);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(String.valueOf(e.getMessage()));
      }
    }
  }
}
