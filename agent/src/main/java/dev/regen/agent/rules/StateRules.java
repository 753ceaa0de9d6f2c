package dev.regen.agent.rules;

import static dev.regen.agent.rules.Action.CANCEL;
import static dev.regen.agent.rules.Action.CAPTURE;
import static dev.regen.agent.rules.Action.DECRYPT;
import static dev.regen.agent.rules.Action.DIFF;
import static dev.regen.agent.rules.Action.ENCRYPT;
import static dev.regen.agent.rules.Action.EXPORT;
import static dev.regen.agent.rules.Action.KEEP;
import static dev.regen.agent.rules.Action.MOUNT;
import static dev.regen.agent.rules.Action.PIN;
import static dev.regen.agent.rules.Action.PULL;
import static dev.regen.agent.rules.Action.PUSH;
import static dev.regen.agent.rules.Action.REMOVE;
import static dev.regen.agent.rules.Action.RESTORE;
import static dev.regen.agent.rules.Action.SHOW;
import static dev.regen.agent.rules.Action.UNPIN;
import static dev.regen.agent.rules.Action.VERIFY;

import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Which operation is allowed in which state: what is shown with a thing as its {@code actions} is
 * what will be done, and what is not shown is refused.
 *
 * <p>Pinning what is pinned, and encrypting what is encrypted, is allowed and changes nothing; so
 * does cancelling a job that has ended, which is answered with how it ended. That an action is
 * allowed says that its state allows it; it may fail all the same, for want of room, an engine or a
 * store.
 */
public final class StateRules {
  /** Where a snapshot is. */
  public enum SnapshotState {
    COMPLETE,
    /** Whole, but read while its container wrote. */
    INCONSISTENT,
    /** Encrypted with a key that is not here. */
    LOCKED,
    /** Its manifest cannot be read. */
    DAMAGED,
    /** Still arriving from another host. */
    UPLOADING,
    /** An end that is to become a snapshot. */
    WAITING,
    ARCHIVING,
    /** One that could not be archived yet; it is tried again. */
    FAILED;

    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Where a queue is. */
  public enum QueueState {
    READY,
    ARCHIVING,
    FAILED,
    DAMAGED;

    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }

    public static QueueState of(String word) {
      return valueOf(word.toUpperCase(Locale.ROOT));
    }
  }

  /** Where a snapshot or an image in a store is. */
  public enum StoredState {
    COMPLETE,
    UPLOADING
  }

  private StateRules() {}

  /**
   * What may be done with a snapshot.
   *
   * @param held it is pinned, or chosen for the next run
   * @param moved its queue has moved to another host, and runs there
   */
  public static Set<Action> snapshot(SnapshotState state, boolean held, boolean moved) {
    Set<Action> allowed =
        switch (state) {
          case COMPLETE, INCONSISTENT ->
              EnumSet.of(
                  SHOW, DIFF, EXPORT, MOUNT, RESTORE, PUSH, PIN, UNPIN, REMOVE, ENCRYPT, DECRYPT);
          // Its bytes can be moved and counted, not read.
          case LOCKED -> EnumSet.of(SHOW, PUSH, PIN, UNPIN, REMOVE);
          case DAMAGED -> EnumSet.of(REMOVE);
          case UPLOADING -> EnumSet.of(SHOW, CANCEL);
          case WAITING, ARCHIVING, FAILED -> EnumSet.noneOf(Action.class);
        };
    if (held) {
      allowed.remove(REMOVE);
    }
    return hereOnly(allowed, moved);
  }

  /**
   * What may be done with a queue as a whole.
   *
   * @param empty it has no snapshot
   * @param held a container runs on it, or one of its snapshots is pinned
   * @param moved it has moved to another host, and runs there
   */
  public static Set<Action> queue(QueueState state, boolean empty, boolean held, boolean moved) {
    Set<Action> allowed =
        switch (state) {
          case READY ->
              EnumSet.of(SHOW, KEEP, PUSH, PULL, RESTORE, ENCRYPT, DECRYPT, VERIFY, REMOVE);
          // Its last state is not in a snapshot: it would be lost.
          case ARCHIVING, FAILED ->
              EnumSet.of(SHOW, KEEP, PUSH, PULL, RESTORE, ENCRYPT, DECRYPT, VERIFY);
          case DAMAGED -> EnumSet.of(VERIFY);
        };
    if (empty) {
      allowed.removeAll(EnumSet.of(PUSH, RESTORE));
    }
    if (held) {
      allowed.remove(REMOVE);
    }
    return hereOnly(allowed, moved);
  }

  /**
   * What may be done with a container.
   *
   * @param kept false for one that the engine removes when it ends ({@code --rm})
   * @param moved its queue has moved to another host, and runs there
   */
  public static Set<Action> container(boolean running, boolean kept, boolean moved) {
    Set<Action> allowed = EnumSet.of(CAPTURE, RESTORE);
    if (running && !kept) {
      allowed.remove(RESTORE);
    }
    return hereOnly(allowed, moved);
  }

  /** Nothing is brought back here of what goes on elsewhere: it may not start here. */
  private static Set<Action> hereOnly(Set<Action> allowed, boolean moved) {
    if (moved) {
      allowed.remove(RESTORE);
    }
    return allowed;
  }

  /** What may be done with a job. */
  public static Set<Action> job(boolean ended) {
    return ended ? EnumSet.of(SHOW) : EnumSet.of(SHOW, CANCEL);
  }

  /** What may be done with what a store has; a push is cancelled where it runs. */
  public static Set<Action> stored(StoredState state) {
    return switch (state) {
      case COMPLETE -> EnumSet.of(SHOW, PULL, REMOVE);
      case UPLOADING -> EnumSet.of(SHOW);
    };
  }

  /** As answers have them, in one order. */
  public static List<String> words(Collection<Action> actions) {
    return actions.stream().sorted().map(Action::word).toList();
  }
}
